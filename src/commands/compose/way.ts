import { shellWords } from "../../shell-words.ts";
import { NETWORK } from "./names.ts";
import type { Service } from "./service.ts";

/** How a service reaches the server. */
export interface Way {
  /** It joins the network; it reaches us by another's addresses; it reaches nobody. */
  readonly kind: "joins" | "shares" | "none";
  readonly remark: string;
}

/** How each service of a project reaches the server. */
export function waysOf(services: readonly Service[]): (readonly [Service, Way])[] {
  const owners = ownersOf(services);
  return services.map((service) => [service, wayOf(service, owners.get(service) ?? service)]);
}

/**
 * Whose network each service has in the end: it may have that of one that has the network of another, and so on. Each is
 * looked at once, however long the chain. In a ring nobody has one, and it ends where it was entered.
 */
function ownersOf(services: readonly Service[]): ReadonlyMap<Service, Service> {
  const byName = new Map(services.map((service) => [service.name, service]));
  const owners = new Map<Service, Service>();
  for (const service of services) {
    const chain = new Set<Service>();
    let at = service;
    while (!owners.has(at) && !chain.has(at)) {
      chain.add(at);
      at = byName.get(sharedWith(at) ?? "") ?? at;
    }
    const owner = owners.get(at) ?? at;
    for (const each of chain) owners.set(each, owner);
  }
  return owners;
}

/** The service whose network it has, by its mode. */
function sharedWith({ networkMode = "" }: Service): string | undefined {
  return networkMode.startsWith("service:") ? networkMode.slice("service:".length) : undefined;
}

function wayOf(service: Service, owner: Service): Way {
  const own = ownWay(owner.networkMode);
  if (owner === service) return own;
  const of = sharedWith(service);
  if (own.kind === "none") return { kind: "none", remark: `has the network of service ${of}, which ${own.remark}` };
  return { kind: "shares", remark: `has the network of service ${of}: its metadata needs its own container's name` };
}

function ownWay(mode: string | undefined): Way {
  if (mode === undefined) return { kind: "joins", remark: "" };
  if (mode === "none") return { kind: "none", remark: "has no network and gets nothing" };
  if (mode === "host") {
    return {
      kind: "shares",
      remark: "has the host's network: it asks by way of the bridge, and its metadata needs its container's name",
    };
  }
  const [, of] = /^container:(.+)$/.exec(mode) ?? [];
  if (of !== undefined) {
    const remark = `has the network of container ${of}: run ${shellWords(["docker", "network", "connect", NETWORK, of])}`;
    return { kind: "shares", remark };
  }
  return {
    kind: "none",
    remark: `has network_mode '${mode}', which excludes networks, and gets nothing: let it name networks instead`,
  };
}
