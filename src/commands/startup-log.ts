import type { Config } from "../config/config.ts";
import type { Container } from "../engine/container.ts";
import type { Picture } from "../engine/container-store.ts";
import { canonicalAddress, contains } from "../engine/ip-address.ts";
import { isLoopback } from "../engine/own-addresses.ts";
import { publishedBeyondLoopback } from "../engine/published.ts";
import type { Log } from "../log.ts";

const NETWORKS_SHOWN_MAX = 8;

/**
 * Who can reach an address that we listen on, in words for the log.
 *
 * @param subnets the networks of this machine's interfaces as CIDRs
 * @param isContained whether we run in a container, whose neighbours count until an engine is reached
 */
export function reachOf(bindAddress: string, subnets: () => readonly string[], isContained: () => boolean): string {
  const address = canonicalAddress(bindAddress);
  if (isLoopback(address) || address === "localhost") return "this machine only";
  const isAll = address === "0.0.0.0" || address === "::";
  const families = address === "0.0.0.0" ? subnets().filter((cidr) => !cidr.includes(":")) : subnets();
  const networks = [...new Set(isAll ? families : families.filter((cidr) => contains(cidr, address)))].map(toNetwork);
  if (networks.length === 0) return "this machine, and whatever is routed here";
  const shown = networks.slice(0, NETWORKS_SHOWN_MAX).join(", ");
  const more = networks.length > NETWORKS_SHOWN_MAX ? ` and ${networks.length - NETWORKS_SHOWN_MAX} more` : "";
  const early = isContained() ? ", and until an engine is reached the container networks of this one" : "";
  return `this machine and ${shown}${more}; answered are this machine, its running containers and ECS_LOCAL_ALLOWED_NETWORKS${early}`;
}

/** `172.17.0.1/16` of an interface is in the network 172.17.0.0/16. */
function toNetwork(cidr: string): string {
  const [base = "", prefix = ""] = cidr.split("/");
  if (base.includes(":")) return cidr;
  let bits = Number(prefix);
  const bytes = base.split(".").map((byte) => {
    const kept = Math.max(0, Math.min(8, bits));
    bits -= 8;
    return Number(byte) & (256 - 2 ** (8 - kept));
  });
  return `${bytes.join(".")}/${prefix}`;
}

/**
 * Makes what warns, once for each state, when our own container's port is published beyond this machine: strangers who
 * come that way look like the gateway.
 */
export function warnOfPublishedPort(deps: {
  readonly picture: () => Picture;
  readonly isOwn: (container: Container) => boolean;
  readonly config: Config;
  readonly log: Log;
}): () => void {
  const { port, access } = deps.config;
  let said = "";
  return () => {
    const own = [...deps.picture().containers.values()].find((found) => found.running && deps.isOwn(found));
    const where = own ? publishedBeyondLoopback(own, port).join(", ") : "";
    if (where === said) return;
    said = where;
    if (where === "" || access.refuseGateway) return;
    const hostPort = own?.ports.find(({ containerPort }) => containerPort === port)?.hostPort ?? port;
    deps.log.warning("the port is published beyond this machine, and who comes that way cannot be told from it", {
      address: where,
      hint: `publish it with -p 127.0.0.1:${hostPort}:${port}, or set ECS_LOCAL_REFUSE_GATEWAY=1`,
    });
  };
}
