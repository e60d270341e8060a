import type { Container } from "./container.ts";
import { OWN_KNOWN_FOR_MS, type Picture } from "./picture.ts";

const KNOWN_MAX = 10_000;

type Claim = Container | "several" | undefined;

/**
 * Whose an address is. Networks may overlap: in a subnet of a network that our own container is on, only containers of
 * that network count.
 *
 * @param isOwn whether a container is the one that we run in
 */
export function createClaims(picture: Picture, isOwn: (container: Container) => boolean): (address: string) => Claim {
  const known = new Map<string, Claim>();
  let revision = -1;
  let untilMs = 0;
  let ownNetworks: readonly string[] = [];

  function find(address: string): Claim {
    const claimants = picture.claimants(address);
    const ours = ownNetworks.filter((id) => picture.isInSubnet(address, id));
    const left =
      ours.length === 0 ? claimants : claimants.filter((claim) => ours.some((id) => hasEndpoint(claim, id, address)));
    return left.length > 1 ? "several" : left[0];
  }

  return (address) => {
    const nowMs = performance.now();
    if (revision !== picture.revision() || known.size >= KNOWN_MAX || nowMs > untilMs) {
      revision = picture.revision();
      untilMs = nowMs + OWN_KNOWN_FOR_MS;
      known.clear();
      const own = [...picture.containers.values()].find(isOwn);
      ownNetworks = own?.attachments.map(({ networkId }) => networkId) ?? [];
    }
    if (!known.has(address)) known.set(address, find(address));
    return known.get(address);
  };
}

function hasEndpoint(container: Container, networkId: string, address: string): boolean {
  return container.attachments.some((a) => a.networkId === networkId && (a.ipv4 === address || a.ipv6 === address));
}
