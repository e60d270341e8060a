import type { Engine } from "../engine/client.ts";
import { canonicalAddress } from "../engine/ip-address.ts";
import { decodeText, NetworksSchema, PodmanNetworksSchema } from "../engine/schema.ts";

/** A network of the engine's whose containers are on a bridge of its machine. */
export interface BridgeNetwork {
  readonly network: string;
  /** The bridge's interface; undefined where the engine does not say it. */
  readonly interfaceName: string | undefined;
  /** Its containers have no way out of it. */
  readonly internal: boolean;
  /** CIDRs. */
  readonly subnets: readonly string[];
  /** Addresses that the bridge has, as far as the engine says: Docker leaves out what it chose in a subnet that was given. */
  readonly gateways: readonly string[];
}

/** The oldest version of Podman's own API that its releases from 4.0 on speak. */
const PODMAN_VERSION = "4.0.0";

/**
 * Asks the engine for its bridge networks, ordered by name.
 *
 * @throws AppError `engine-unavailable`, `engine-refused` or `engine-bad-answer`
 */
export async function bridgeNetworks(engine: Engine): Promise<readonly BridgeNetwork[]> {
  const networks = decodeText(NetworksSchema, await engine.get("/networks"), "the list of networks");
  // Podman is the engine whose events are late.
  const named = engine.hasLateEvents ? await podmanInterfaces(engine) : undefined;
  return networks
    .filter(({ Driver }) => Driver === "bridge")
    .map(({ Id, Name, Options, Internal, IPAM }) => ({
      network: Name,
      // Docker's own name for a bridge that was given none; its default bridge has its name as an option.
      interfaceName: named ? named.get(Id) : Options?.["com.docker.network.bridge.name"] || `br-${Id.slice(0, 12)}`,
      internal: Internal ?? false,
      subnets: (IPAM?.Config ?? []).flatMap(({ Subnet }) => Subnet ?? []),
      // Old releases of Docker write it with the subnet's prefix.
      gateways: (IPAM?.Config ?? []).flatMap(({ Gateway }) =>
        Gateway ? canonicalAddress(Gateway.replace(/\/.*$/, "")) : [],
      ),
    }))
    .toSorted((a, b) => (a.network < b.network ? -1 : 1));
}

/** Podman numbers its bridges, and says so only in its own API. */
async function podmanInterfaces(engine: Engine): Promise<ReadonlyMap<string, string>> {
  const answer = await engine.get("/libpod/networks/json", { version: PODMAN_VERSION });
  const networks = decodeText(PodmanNetworksSchema, answer, "Podman's list of networks");
  return new Map(networks.flatMap(({ id, network_interface: name }) => (name ? [[id, name] as const] : [])));
}
