import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { canonicalAddress, contains } from "./ip-address.ts";

const READ_EVERY_MS = 1_000;

/** The addresses of this machine's interfaces, or of the container that we run in. */
export interface OwnAddresses {
  readonly has: (address: string) => boolean;
  /** Whether an address is of a network that an interface of ours is on, loopback aside. */
  readonly isInSubnet: (address: string) => boolean;
  /** Those networks as CIDRs. */
  readonly subnets: () => readonly string[];
}

/**
 * Reads them live, because interfaces come and go with networks, but at most once a second.
 *
 * @param now milliseconds of a clock that nobody sets
 */
export function createOwnAddresses(
  now: () => number,
  read: typeof networkInterfaces = networkInterfaces,
): OwnAddresses {
  let readAtMs = Number.NEGATIVE_INFINITY;
  let addresses = new Set<string>();
  let cidrs: readonly string[] = [];

  function refresh(): void {
    const at = now();
    if (at - readAtMs < READ_EVERY_MS) return;
    readAtMs = at;
    const entries = Object.values(read()).flatMap((of) => of ?? []);
    addresses = new Set(entries.map(({ address }) => canonicalAddress(address)));
    cidrs = entries.flatMap(({ internal, cidr }) => (internal || cidr === null ? [] : [cidr]));
  }

  function subnets(): readonly string[] {
    refresh();
    return cidrs;
  }

  return {
    has(address) {
      refresh();
      return addresses.has(address);
    },
    isInSubnet: (address) => subnets().some((cidr) => contains(cidr, address)),
    subnets,
  };
}

/** @param address in its canonical spelling */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/** Whether we run in a container, by the files that Docker and Podman put into each, or mount over it. */
export function isInContainer(
  exists: (path: string) => boolean = existsSync,
  readText: (path: string) => string = (path) => readFileSync(path, "utf8"),
): boolean {
  if (exists("/.dockerenv") || exists("/run/.containerenv")) return true;
  try {
    return /\/[0-9a-f]{64}\/(?:userdata\/)?(?:hostname|hosts|resolv\.conf) \/etc\//.test(
      readText("/proc/self/mountinfo"),
    );
  } catch {
    return false;
  }
}

/** The kernel's default gateway for IPv4. Undefined where there is none, and not on Linux. */
export function defaultGateway(
  readTable: () => string = () => readFileSync("/proc/net/route", "utf8"),
): string | undefined {
  try {
    for (const line of readTable().split("\n")) {
      const [, destination, gateway = ""] = line.split("\t");
      if (destination !== "00000000" || !/^[0-9A-F]{8}$/.test(gateway) || gateway === "00000000") continue;
      // The kernel writes the number as it lies in memory, last byte first.
      return (gateway.match(/../g) ?? [])
        .map((byte) => Number.parseInt(byte, 16))
        .reverse()
        .join(".");
    }
  } catch {
    // No /proc.
  }
  return undefined;
}
