import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Engine } from "../engine/client.ts";
import { canonicalAddress, contains } from "../engine/ip-address.ts";
import { AppError } from "../errors.ts";
import { type BridgeNetwork, bridgeNetworks } from "./engine-bridges.ts";
import type { Machine } from "./machine.ts";
import { addressesOf } from "./operations.ts";
import { TASK_ADDRESS } from "./plan.ts";
import { isInterfaceName } from "./state.ts";

/** The bridges whose containers are to be led to us. */
export interface Chosen {
  readonly bridges: readonly string[];
  /** What the user should know about those, and about networks that were left out. */
  readonly notes: readonly string[];
}

/** Where the kernel lists this network namespace's interfaces that speak IPv4. */
const INTERFACES = "/proc/sys/net/ipv4/conf";

/** Whether this machine has it, and it speaks IPv4. */
export function isInterface(name: string): boolean {
  return existsSync(`${INTERFACES}/${name}`);
}

const isBridge = (name: string) => existsSync(`/sys/class/net/${name}/bridge`);

/**
 * Looks at the interfaces that the command line names.
 *
 * @throws AppError `bad-configuration` for the first that this machine has not
 */
export function namedBridges(names: readonly string[]): Chosen {
  for (const name of names) {
    if (!isInterface(name)) {
      throw new AppError("bad-configuration", `--bridge is '${name}', and this machine has no such interface`, {
        hint: "see what there is with: ip link show type bridge",
      });
    }
  }
  const others = names.filter((name) => !isBridge(name));
  const notes = others.map((name) => `${name} is no bridge: whoever is on its link reaches the server's port`);
  return { bridges: [...new Set(names)], notes };
}

/**
 * The bridges of the engine's networks, as far as they are on this machine and their containers need the rules.
 *
 * @throws AppError `network-failed` where there is none; the engine's own
 */
export async function engineBridges(engine: Engine, machine: Machine): Promise<Chosen> {
  const notes: string[] = [];
  const bridges: string[] = [];
  for (const network of await bridgeNetworks(engine)) {
    const name = network.interfaceName ?? "";
    const isHere = isInterfaceName(name) && machine.ifindex(name) !== undefined;
    const found = isHere ? { isBridge: isBridge(name), addresses: await addressesOf(machine, name) } : undefined;
    const why = reasonAgainst(network, found);
    if (why === undefined) bridges.push(name);
    else notes.push(`the network ${network.network} is left out: ${why}`);
  }
  if (bridges.length > 0) return { bridges: [...new Set(bridges)], notes };
  throw new AppError(
    "network-failed",
    [`the engine at ${engine.target} has no bridge on this machine to set up`, ...notes].join("; "),
    {
      hint: "name one with --bridge; where the engine runs in a virtual machine or rootless, run this program in a container at 169.254.170.2 instead",
    },
  );
}

/** An interface of this machine. */
interface Interface {
  readonly isBridge: boolean;
  /** Each with its prefix. */
  readonly addresses: readonly string[];
}

/**
 * Why a network of the engine's cannot be, or need not be, led to us; undefined where it is to be. That its bridge is the one
 * of that name here takes proof: the engine may be of another machine, or have named any interface of this one.
 *
 * @param found the interface of its bridge's name, where there is one
 */
export function reasonAgainst(network: BridgeNetwork, found: Interface | undefined): string | undefined {
  const { interfaceName: name, subnets, gateways } = network;
  if (subnets.some((subnet) => contains(subnet, TASK_ADDRESS))) {
    return `${TASK_ADDRESS} is an address of its own, where its containers ask without these rules`;
  }
  if (network.internal) return "it is internal, and its containers have no way out";
  if (name === undefined) return "the engine does not say which bridge it has";
  if (!isInterfaceName(name)) return `no bridge can be called '${name}'`;
  if (found === undefined) {
    return `its bridge ${name} is not on this machine now (Podman's is there while a container runs)`;
  }
  if (!found.isBridge) return `${name} is no bridge on this machine`;
  const here = found.addresses.map((address) => canonicalAddress(address.replace(/\/.*$/, "")));
  const isOurs =
    gateways.length > 0
      ? here.some((address) => gateways.includes(address))
      : here.some((address) => subnets.some((subnet) => contains(subnet, address)));
  if (isOurs) return undefined;
  const asked = gateways.length > 0 ? gateways.join(", ") : `of ${subnets.join(", ")}`;
  return `${name} of this machine has no address ${asked}: the network is of another machine, or of a rootless engine`;
}

/** Interfaces whose `route_localnet` is 1: `all` stands for every one of them. */
export function openInterfaces(): readonly string[] {
  const isOpen = (name: string) => {
    try {
      return readFileSync(`${INTERFACES}/${name}/route_localnet`, "utf8").trim() === "1";
    } catch {
      // It went away meanwhile.
      return false;
    }
  };
  return readdirSync(INTERFACES).filter(isOpen);
}
