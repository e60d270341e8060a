import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { Environment } from "../config/config.ts";
import type { Container } from "./container.ts";
import type { ContainerStore } from "./container-store.ts";
import { canonicalAddress, contains } from "./ip-address.ts";
import { perRevision } from "./memo.ts";

const READ_EVERY_MS = 1_000;

/** The addresses of this machine's interfaces, or of the container that we run in. */
export interface OwnAddresses {
  readonly has: (address: string) => boolean;
  /** Whether an address is of a network of containers that an interface of ours is on: see `isContainerInterface`. */
  readonly isInContainerSubnet: (address: string) => boolean;
  /** Those networks as CIDRs. */
  readonly subnets: () => readonly string[];
}

/**
 * Reads them live, because interfaces come and go with networks, but at most once a second.
 *
 * @param now milliseconds of a monotonic clock
 */
export function createOwnAddresses(
  now: () => number,
  read: typeof networkInterfaces = networkInterfaces,
  isOfContainers: (name: string) => boolean = isContainerInterface,
): OwnAddresses {
  let readAtMs = Number.NEGATIVE_INFINITY;
  let addresses = new Set<string>();
  let cidrs: readonly string[] = [];
  let containerCidrs: readonly string[] = [];

  function refresh(): void {
    const at = now();
    if (at - readAtMs < READ_EVERY_MS) return;
    readAtMs = at;
    const entries = Object.entries(read()).flatMap(([name, of]) => (of ?? []).map((entry) => ({ name, ...entry })));
    // A link-local address says nothing without its link, and anybody on another one may have the same.
    addresses = new Set(entries.map(({ address }) => canonicalAddress(address)).filter((one) => !isLinkLocal(one)));
    const external = entries.filter(
      ({ internal, cidr, address }) => !internal && cidr !== null && !isLinkLocal(address),
    );
    cidrs = external.map(({ cidr }) => cidr ?? "");
    containerCidrs = external.filter(({ name }) => isOfContainers(name)).map(({ cidr }) => cidr ?? "");
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
    isInContainerSubnet(address) {
      refresh();
      return containerCidrs.some((cidr) => contains(cidr, address));
    },
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

function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address);
}

/**
 * Whether an interface is one end of a pair whose other end is on a bridge of an engine. A device of the machine, which a
 * container has that uses the host's network, and a macvlan or ipvlan of one lead to the whole LAN.
 */
function isContainerInterface(name: string): boolean {
  const folder = `/sys/class/net/${name}`;
  try {
    return !existsSync(`${folder}/device`) && !/^DEVTYPE=/m.test(readFileSync(`${folder}/uevent`, "utf8"));
  } catch {
    return false;
  }
}

/**
 * Gateway addresses that are known without an engine: the kernel's default
 * gateways. Empty on what is not Linux.
 */
export function defaultGateways(
  readTable: (path: string) => string = (path) => readFileSync(path, "utf8"),
): readonly string[] {
  return [...ipv4Gateways(linesOf("/proc/net/route")), ...ipv6Gateways(linesOf("/proc/net/ipv6_route"))];

  function linesOf(path: string): string[] {
    try {
      return readTable(path).split("\n");
    } catch {
      return [];
    }
  }
}

function ipv4Gateways(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const [, destination, gateway = ""] = line.split("\t");
    if (destination !== "00000000" || !/^[0-9A-F]{8}$/.test(gateway) || gateway === "00000000") return [];
    // The kernel writes the number as it lies in memory, last byte first.
    const bytes = gateway.match(/../g) ?? [];
    return [
      bytes
        .map((byte) => Number.parseInt(byte, 16))
        .reverse()
        .join("."),
    ];
  });
}

function ipv6Gateways(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const [destination = "", length, , , gateway = ""] = line.split(/\s+/);
    if (!/^0{32}$/.test(destination) || length !== "00" || !/^[0-9a-f]{32}$/.test(gateway) || /^0+$/.test(gateway))
      return [];
    return [canonicalAddress((gateway.match(/.{4}/g) ?? []).join(":"))];
  });
}

/** The fields that show whether a container is ours. */
interface Owned {
  readonly id: string;
  readonly endpoints: readonly { readonly ipv4: string | undefined; readonly ipv6?: string | undefined }[];
}

/**
 * Tells which container we run in, if any. The id is only believed when the container has one of our own addresses:
 * a host may be named like a container.
 *
 * @param hasAddress whether an address is of an interface of ours
 */
export function ownContainerTest(
  env: Environment,
  hasAddress: (address: string) => boolean,
  readText: (path: string) => string = readOrEmpty,
): (container: Owned) => boolean {
  const prefixes: string[] = [];
  // By default, Docker's hostname of a container is its short id.
  if (env.HOSTNAME && /^[0-9a-f]{12,64}$/.test(env.HOSTNAME)) prefixes.push(env.HOSTNAME);
  // The engine mounts files of its own folder for this container: resolv.conf, hostname, hosts.
  const mounts = readText("/proc/self/mountinfo").matchAll(
    /\/([0-9a-f]{64})\/(?:userdata\/)?(?:hostname|hosts|resolv\.conf) /g,
  );
  for (const [, id] of mounts) if (id) prefixes.push(id);
  const group = /([0-9a-f]{64})/.exec(readText("/proc/self/cgroup"))?.[1];
  if (group) prefixes.push(group);
  return (container) =>
    prefixes.some((prefix) => container.id.startsWith(prefix)) &&
    container.endpoints.some(({ ipv4, ipv6 }) =>
      [ipv4, ipv6].some((address) => address !== undefined && hasAddress(address)),
    );
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not Linux, or no /proc: then there is no container to be in.
    return "";
  }
}

/**
 * The names that other containers have for the one that we run in: its own, its aliases, and each of them with a
 * network's name behind it, as Docker's DNS takes them. In lower case; read again after each change of the store.
 */
export function createOwnNames(
  store: Pick<ContainerStore, "containers" | "revision">,
  isOwn: (container: Container) => boolean,
): () => ReadonlySet<string> {
  return perRevision(store, () => {
    const own = [...store.containers.values()].find((container) => container.running && isOwn(container));
    return new Set(own ? namesOf(own).map((name) => name.toLowerCase()) : []);
  });
}

function namesOf({ name, endpoints }: Container): string[] {
  return endpoints.flatMap((endpoint) =>
    [name, ...(endpoint.aliases ?? [])].flatMap((own) => [own, `${own}.${endpoint.name}`]),
  );
}
