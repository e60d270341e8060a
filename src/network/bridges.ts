import { existsSync } from "node:fs";
import type { Engine } from "../engine/client.ts";
import { canonicalAddress, contains, TASK_ADDRESS } from "../engine/ip-address.ts";
import { decodeText, NetworksSchema, PodmanNetworksSchema } from "../engine/schema.ts";
import { AppError } from "../errors.ts";
import { addressesOf } from "./loopback.ts";
import { ifindexOf } from "./route-localnet.ts";
import { isInterfaceName } from "./state.ts";

/** The bridges to set up, and notes about others. */
export interface Chosen {
  readonly bridges: readonly string[];
  readonly notes: readonly string[];
}

/** A bridge network of the engine. */
export interface BridgeNetwork {
  readonly network: string;
  /** The bridge's interface; undefined if the engine does not say. */
  readonly interfaceName: string | undefined;
  readonly internal: boolean;
  readonly subnets: readonly string[];
  /** The bridge's addresses, as far as the engine says. */
  readonly gateways: readonly string[];
}

const isBridge = (name: string) => existsSync(`/sys/class/net/${name}/bridge`);

/**
 * Checks the interfaces that the command line names.
 *
 * @throws AppError `bad-configuration` for the first that does not exist
 */
export function namedBridges(names: readonly string[]): Chosen {
  const missing = names.find((name) => ifindexOf(name) === undefined);
  if (missing !== undefined) {
    throw new AppError("bad-configuration", `--bridge is '${missing}', and this machine has no such interface`, {
      hint: "list the bridges of this machine with: ip link show type bridge",
    });
  }
  const others = names.filter((name) => !isBridge(name));
  const notes = others.map((name) => `${name} is not a bridge: everyone on its link can reach the server's port`);
  return { bridges: [...new Set(names)], notes };
}

/**
 * Finds the engine's bridges on this machine whose containers need the rules.
 *
 * @param path the PATH of `ip`
 * @throws AppError `network-failed` if there is none; the engine's errors
 */
export async function engineBridges(engine: Engine, path: string): Promise<Chosen> {
  const notes: string[] = [];
  const bridges: string[] = [];
  for (const network of await bridgeNetworks(engine)) {
    const name = network.interfaceName ?? "";
    const isHere = isInterfaceName(name) && ifindexOf(name) !== undefined;
    const reason = reasonAgainst(
      network,
      isHere ? { isBridge: isBridge(name), addresses: await addressesOf(name, path) } : undefined,
    );
    if (reason === undefined) bridges.push(name);
    else notes.push(`the network ${network.network} is left out: ${reason}`);
  }
  if (bridges.length > 0) return { bridges: [...new Set(bridges)], notes };
  const text = [`the engine at ${engine.target} has no bridge on this machine to set up`, ...notes].join("; ");
  throw new AppError("network-failed", text, {
    hint: "name one with --bridge; if the engine is rootless or in a virtual machine, run this program in a container at 169.254.170.2",
  });
}

/**
 * Why a network is left out; undefined if it is set up. The bridge's name proves nothing: every machine has a docker0.
 *
 * @param found this machine's interface of the bridge's name
 */
export function reasonAgainst(
  { interfaceName: name, subnets, gateways, internal }: BridgeNetwork,
  found: { readonly isBridge: boolean; readonly addresses: readonly string[] } | undefined,
): string | undefined {
  const includes = (address: string) => subnets.some((subnet) => contains(subnet, address));
  if (includes(TASK_ADDRESS)) return `${TASK_ADDRESS} is one of its own addresses, so it needs no rules`;
  if (internal) return "it is internal";
  if (name === undefined) return "the engine does not say which bridge it has";
  if (!isInterfaceName(name)) return `'${name}' cannot be the name of a bridge`;
  if (found === undefined) return `its bridge ${name} does not exist here (Podman's exists while a container runs)`;
  if (!found.isBridge) return `${name} is not a bridge on this machine`;
  const here = found.addresses.map((address) => canonicalAddress(address.replace(/\/.*$/, "")));
  if (gateways.length > 0 ? here.some((address) => gateways.includes(address)) : here.some(includes)) return undefined;
  const wanted = gateways.length > 0 ? gateways.join(", ") : `in ${subnets.join(", ")}`;
  return `${name} of this machine has no address ${wanted}: the network is on another machine, or of a rootless engine`;
}

/** The oldest version of Podman's own API that its releases from 4.0 on have. */
const PODMAN_VERSION = "4.0.0";

/**
 * Reads the engine's bridge networks, ordered by name.
 *
 * @throws AppError `engine-unavailable`, `engine-refused` or `engine-bad-answer`
 */
export async function bridgeNetworks(engine: Engine): Promise<readonly BridgeNetwork[]> {
  const networks = decodeText(NetworksSchema, await engine.get("/networks"), "the list of networks");
  const named = engine.needsCatchUp ? await podmanInterfaces(engine) : undefined;
  return networks
    .filter(({ Driver }) => Driver === "bridge")
    .map(({ Id, Name, Options, Internal, IPAM }) => ({
      network: Name,
      // Docker's name for a bridge unless an option names it, as for the default bridge.
      interfaceName: named ? named.get(Id) : Options?.["com.docker.network.bridge.name"] || `br-${Id.slice(0, 12)}`,
      internal: Internal ?? false,
      subnets: (IPAM?.Config ?? []).flatMap(({ Subnet }) => Subnet ?? []),
      // Old releases of Docker add the subnet's prefix.
      gateways: (IPAM?.Config ?? []).flatMap(({ Gateway }) =>
        Gateway ? canonicalAddress(Gateway.replace(/\/.*$/, "")) : [],
      ),
    }))
    .toSorted((a, b) => (a.network < b.network ? -1 : 1));
}

/** Podman numbers its bridges, and names them only in its own API. */
async function podmanInterfaces(engine: Engine): Promise<ReadonlyMap<string, string>> {
  const answer = await engine.get("/libpod/networks/json", { version: PODMAN_VERSION });
  const networks = decodeText(PodmanNetworksSchema, answer, "Podman's list of networks");
  return new Map(networks.flatMap(({ id, network_interface: name }) => (name ? [[id, name] as const] : [])));
}
