import type { Container } from "./container.ts";
import { OWN_KNOWN_FOR_MS, type Picture } from "./container-store.ts";
import { contains } from "./ip-address.ts";

const KNOWN_MAX = 10_000;

type Claim = Container | "several" | undefined;
interface Look {
  readonly claim: Claim;
  readonly isShared: boolean;
}

interface Claims {
  readonly of: (address: string) => Claim;
  /** Whether containers of several networks may have the address, so that one which is still unknown may have it too. */
  readonly isShared: (address: string) => boolean;
}

/**
 * Whose an address is. Networks may overlap: in a subnet of a network that our own container is on, only containers of
 * that network count.
 *
 * @param isOwn whether a container is the one that we run in
 */
export function createClaims(picture: Picture, isOwn: (container: Container) => boolean): Claims {
  const known = new Map<string, Look>();
  let revision = -1;
  let untilMs = 0;
  let ownNetworks: readonly string[] = [];

  function find(address: string): Look {
    const claimants = picture.claimants(address);
    const ours = ownNetworks.filter((id) => picture.isInSubnet(address, id));
    const left =
      ours.length === 0 ? claimants : claimants.filter((claim) => ours.some((id) => hasEndpoint(claim, id, address)));
    const around = ours.length === 0 ? picture.networks().filter(({ subnets }) => isIn(subnets, address)) : ours;
    return { claim: left.length > 1 ? "several" : left[0], isShared: around.length > 1 };
  }

  function look(address: string): Look {
    const nowMs = performance.now();
    if (revision !== picture.revision() || known.size >= KNOWN_MAX || nowMs > untilMs) {
      revision = picture.revision();
      untilMs = nowMs + OWN_KNOWN_FOR_MS;
      known.clear();
      const own = [...picture.containers.values()].find(isOwn);
      ownNetworks = own?.attachments.map(({ networkId }) => networkId) ?? [];
    }
    const found = known.get(address) ?? find(address);
    known.set(address, found);
    return found;
  }

  return { of: (address) => look(address).claim, isShared: (address) => look(address).isShared };
}

function isIn(subnets: readonly string[], address: string): boolean {
  return subnets.some((subnet) => contains(subnet, address));
}

function hasEndpoint(container: Container, networkId: string, address: string): boolean {
  return container.attachments.some((a) => a.networkId === networkId && (a.ipv4 === address || a.ipv6 === address));
}
