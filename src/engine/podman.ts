import { readFileSync } from "node:fs";
import type { Static } from "@sinclair/typebox";
import type { Engine } from "./client.ts";
import type { Network } from "./container-store.ts";
import { canonicalAddress } from "./ip-address.ts";
import { decodeText, NetworksSchema } from "./schema.ts";

const AGAIN_AFTER_MS = 250;

/**
 * Readings of the engine's networks. One is under way however many ask, and they end in the order in which they begin:
 * what an earlier one says never comes after a later one.
 */
export interface NetworkReadings {
  /**
   * Reads the networks as they are now: a caller during a reading gets the next one, because it may have begun too early.
   * When it began, on the clock of `performance`. Rejects if the engine does not answer.
   */
  readonly read: () => Promise<number>;
  /** Gives the reading that is under way or comes next, or a new one at most four times a second; undefined if it failed. */
  readonly reread: () => Promise<number | undefined>;
}

export function createNetworkReadings(engine: Engine, put: (networks: readonly Network[]) => void): NetworkReadings {
  let current: Promise<number> | undefined;
  let next: Promise<number> | undefined;
  let again: { readonly askedAtMs: number; readonly promise: Promise<number | undefined> } | undefined;

  async function ask(begunAtMs: number): Promise<number> {
    try {
      put(decodeText(NetworksSchema, await engine.get("/networks"), "the list of networks").map(toNetwork));
      return begunAtMs;
    } finally {
      current = undefined;
    }
  }

  function begin(): Promise<number> {
    next = undefined;
    current = ask(performance.now());
    return current;
  }

  function read(): Promise<number> {
    if (next !== undefined) return next;
    if (current === undefined) return begin();
    next = current.then(begin, begin);
    return next;
  }

  return {
    read,
    reread() {
      const nowMs = performance.now();
      if (again === undefined || nowMs - again.askedAtMs > AGAIN_AFTER_MS) {
        again = { askedAtMs: nowMs, promise: (next ?? current ?? read()).catch(() => undefined) };
      }
      return again.promise;
    },
  };
}

function toNetwork({ Id, Name, Driver, IPAM }: Static<typeof NetworksSchema>[number]): Network {
  const configs = IPAM?.Config ?? [];
  return {
    id: Id,
    name: Name,
    driver: Driver ?? undefined,
    subnets: configs.flatMap((config) => (config.Subnet ? [config.Subnet] : [])),
    gateways: configs.flatMap((config) => (config.Gateway ? [canonicalAddress(config.Gateway)] : [])),
  };
}

/**
 * The hardware address that the kernel sends to for an IPv4 address, of its table of neighbours: whoever is connected
 * to us from there has it. Undefined if it is not on a network of ours, for IPv6, and not on Linux.
 */
export function macAddressOf(
  address: string,
  readTable: () => string = () => readFileSync("/proc/net/arp", "utf8"),
): string | undefined {
  let table: string;
  try {
    table = readTable();
  } catch {
    return undefined;
  }
  const found = new Set<string>();
  for (const line of table.split("\n")) {
    const [ip, , flags = "0x0", mac] = line.split(/\s+/);
    const isComplete = (Number(flags) & 2) !== 0;
    if (ip === address && mac && isComplete) found.add(mac.toLowerCase());
  }
  // Networks may overlap: of two neighbours with one address it is not known which is meant.
  return found.size === 1 ? [...found][0] : undefined;
}

/** Docker before 28 makes hardware addresses of IP addresses, so that the next container at one has the same. */
export function isMadeOf(mac: string, address: string): boolean {
  const bytes = address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return mac === ["02", "42", ...bytes].join(":");
}
