import { NETWORK } from "./names.ts";
import type { Service } from "./service.ts";

/** Services that have each other's network. */
const CHAIN_MAX = 16;

/** How a service reaches the server. */
export interface Way {
  /** It joins the network; it reaches us by another's addresses; it reaches nobody. */
  readonly kind: "joins" | "shares" | "none";
  readonly remark: string;
}

/** @param byName the services of its project */
export function wayOf(service: Service, byName: ReadonlyMap<string, Service>): Way {
  // A service may have the network of one that has the network of another, and so on.
  const seen = new Set<string>();
  let owner = service;
  for (;;) {
    const of = /^service:(.+)$/.exec(owner.networkMode ?? "")?.[1];
    const next = of === undefined || seen.has(of) ? undefined : byName.get(of);
    if (next === undefined || seen.size > CHAIN_MAX) break;
    seen.add(next.name);
    owner = next;
  }
  const own = ownWay(owner.networkMode);
  if (owner === service) return own;
  const of = service.networkMode?.replace("service:", "");
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
    const remark = `has the network of container ${of}: run docker network connect ${NETWORK} ${of}`;
    return { kind: "shares", remark };
  }
  return {
    kind: "none",
    remark: `has network_mode '${mode}', which excludes networks, and gets nothing: let it name networks instead`,
  };
}
