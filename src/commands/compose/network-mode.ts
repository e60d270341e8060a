import { shellWords } from "../../text.ts";
import { NETWORK } from "./names.ts";
import type { Service } from "./project.ts";

/** How a service reaches the server. */
export interface Way {
  /** It joins the network; it reaches us by another's addresses; it reaches nobody. */
  readonly kind: "joins" | "shares" | "none";
  readonly remark: string;
  /** Whether a user should do something about it. */
  readonly isWarning?: boolean;
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
  const byMode = new Map(
    services.flatMap((service) => {
      const { name, containerName } = service;
      const modes = [`service:${name}`, ...(containerName === undefined ? [] : [`container:${containerName}`])];
      return modes.map((mode) => [mode, service]);
    }),
  );
  const owners = new Map<Service, Service>();
  for (const service of services) {
    const chain = new Set<Service>();
    let at = service;
    while (!owners.has(at) && !chain.has(at)) {
      chain.add(at);
      at = byMode.get(at.networkMode ?? "") ?? at;
    }
    const owner = owners.get(at) ?? at;
    for (const each of chain) owners.set(each, owner);
  }
  return owners;
}

function wayOf(service: Service, owner: Service): Way {
  const own = ownWay(owner.networkMode);
  if (owner === service) return own;
  const has = `has the network of ${service.networkMode?.replace(":", " ")}`;
  if (own.kind === "none") return { ...own, remark: `${has}, which ${own.remark}` };
  return { kind: "shares", remark: `${has}: its metadata needs its own container's name` };
}

function ownWay(mode: string | undefined): Way {
  if (mode === undefined) return { kind: "joins", remark: "" };
  if (mode === "none") return { kind: "none", remark: "has no network and gets nothing", isWarning: true };
  if (mode === "host") {
    return {
      kind: "shares",
      remark: "has the host's network: it asks by way of the bridge, and its metadata needs its container's name",
    };
  }
  const [, of] = /^container:(.+)$/.exec(mode) ?? [];
  if (of !== undefined) {
    const remark = `has the network of container ${of}: run ${shellWords(["docker", "network", "connect", NETWORK, of])}`;
    return { kind: "shares", remark, isWarning: true };
  }
  return {
    kind: "none",
    remark: `has network_mode '${mode}', which excludes networks, and gets nothing: let it name networks instead`,
    isWarning: true,
  };
}
