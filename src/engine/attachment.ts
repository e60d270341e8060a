import { canonicalAddress } from "./ip-address.ts";
import type { Inspect } from "./schema.ts";

export interface Attachment {
  readonly name: string;
  /** The id of its network, or the name where the engine tells no more. */
  readonly networkId: string;
  readonly ipv4: string | undefined;
  readonly ipv6: string | undefined;
  readonly gateways: readonly string[];
  /** The gateway with the length of its network's prefix, as in `10.0.2.1/24`. */
  readonly ipv4Gateway?: string | undefined;
  readonly ipv6Gateway?: string | undefined;
  /** Lower case, as the kernel writes it. */
  readonly macAddress: string | undefined;
  /** The names that the network's DNS has for it beside its own. */
  readonly aliases?: readonly string[];
}

type Endpoints = NonNullable<NonNullable<Inspect["NetworkSettings"]>["Networks"]>;

/**
 * A container's part in each of its networks.
 *
 * @param mode its network mode, as `bridge`, `host` or `container:<id>`
 */
export function toAttachments(endpoints: Endpoints, mode: string): Attachment[] {
  return Object.entries(toEndpoints(endpoints, mode)).map(([name, endpoint]) => ({
    ...toNetwork(name, endpoint.NetworkID ?? ""),
    ipv4: endpoint.IPAddress || undefined,
    ipv6: endpoint.GlobalIPv6Address ? canonicalAddress(endpoint.GlobalIPv6Address) : undefined,
    gateways: [endpoint.Gateway, endpoint.IPv6Gateway].filter((g): g is string => !!g).map(canonicalAddress),
    ipv4Gateway: withPrefix(endpoint.Gateway, endpoint.IPPrefixLen),
    ipv6Gateway: withPrefix(endpoint.IPv6Gateway, endpoint.GlobalIPv6PrefixLen),
    macAddress: endpoint.MacAddress?.toLowerCase() || undefined,
    aliases: endpoint.Aliases ?? [],
  }));
}

/** Docker has a network `host` and a network `none`; Podman says them in the mode alone. */
function toEndpoints(endpoints: Endpoints, mode: string): Endpoints {
  const isUnsaid = ["host", "none"].includes(mode) && Object.keys(endpoints).length === 0;
  return isUnsaid ? { [mode]: { NetworkID: mode } } : endpoints;
}

/**
 * Podman calls a network by its name where Docker has its id, and its default network otherwise than in its list of
 * networks, where that is `bridge` as in Docker.
 */
function toNetwork(name: string, networkId: string): Pick<Attachment, "name" | "networkId"> {
  const isDefault = name === "podman" && networkId === name;
  return isDefault ? { name: "bridge", networkId: "bridge" } : { name, networkId };
}

function withPrefix(gateway: string | null | undefined, length: number | null | undefined): string | undefined {
  return gateway && length ? `${canonicalAddress(gateway)}/${length}` : undefined;
}
