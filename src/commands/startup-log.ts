import { isIP } from "node:net";
import type { NamedSource } from "../aws/types.ts";
import type { Config } from "../config/config.ts";
import type { Vendor } from "../credentials/vendor.ts";
import type { Container } from "../engine/container.ts";
import type { ContainerStore } from "../engine/container-store.ts";
import { canonicalAddress, contains } from "../engine/ip-address.ts";
import { isLoopback } from "../engine/self.ts";
import { AppError } from "../errors.ts";
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
 * Warns once for each state, if our own container's port is published beyond this machine: other machines that
 * come that way look like the gateway.
 */
export function warnOfPublishedPort(deps: {
  readonly store: () => ContainerStore;
  readonly isOwn: (container: Container) => boolean;
  readonly config: Config;
  readonly log: Log;
}): () => void {
  const { port, access } = deps.config;
  let lastLogged = "";
  return () => {
    const own = [...deps.store().containers.values()].find((found) => found.running && deps.isOwn(found));
    const where = own ? publishedBeyondLoopback(own, port).join(", ") : "";
    if (where === lastLogged) return;
    lastLogged = where;
    if (where === "" || access.refuseGateway) return;
    const hostPort = own?.ports.find(({ containerPort }) => containerPort === port)?.hostPort ?? port;
    deps.log.warning("the port is published beyond this machine, and callers from there look like this machine", {
      address: where,
      hint: `publish it with -p 127.0.0.1:${hostPort}:${port}, or set ECS_LOCAL_REFUSE_GATEWAY=1`,
    });
  };
}

/** A name server that does not answer must not keep the reason of a bad start. */
const LOOK_UP_MS = 2_000;

/**
 * Why the server cannot listen, and what to do.
 *
 * @returns AppError `cannot-listen`
 */
export async function cannotListen(
  { bindAddress, port }: Pick<Config, "bindAddress" | "port">,
  cause: unknown,
): Promise<AppError> {
  // For an unknown name Bun may report that the port is taken.
  const code = (await isKnown(bindAddress)) ? (cause as { code?: unknown }).code : undefined;
  const where = `${bindAddress}:${port}`;
  const [reason, hint] =
    code === "EADDRINUSE"
      ? ["is taken by another process", "stop that one, or choose a port with ECS_LOCAL_METADATA_PORT or --port"]
      : code === "EACCES"
        ? [
            "is forbidden to this user",
            "choose a port above 1023, such as 51679, with ECS_LOCAL_METADATA_PORT or --port",
          ]
        : code === "EADDRNOTAVAIL"
          ? ["is not an address of this machine", "set ECS_LOCAL_BIND_ADDRESS or --bind to one that is, or to 0.0.0.0"]
          : ["cannot be used", "check whether ECS_LOCAL_BIND_ADDRESS or --bind is an IP address of this machine"];
  return new AppError("cannot-listen", `${where} ${reason}`, { hint, cause });
}

/** Whether an address is one, or the name of one. */
async function isKnown(bindAddress: string): Promise<boolean> {
  if (isIP(bindAddress) !== 0) return true;
  const found = Bun.dns.lookup(bindAddress).then(
    () => true,
    () => false,
  );
  return Promise.race([found, Bun.sleep(LOOK_UP_MS).then(() => false)]);
}

/**
 * Fetches what `/creds` will vend and says in one line of the log who the server is, or what was tried and what to run.
 * Runs in the background and never fails.
 */
export async function sayIdentity(source: NamedSource, vendor: Vendor, log: Log): Promise<void> {
  await source.warm();
  const [who, session] = await Promise.allSettled([source.whoami(), (async () => vendor.vend({ kind: "session" }))()]);
  if (who.status === "rejected") return sayFailure(who.reason, undefined, log);
  const { origin, arn, failure, expiration } = who.value;
  if (session.status === "rejected" && !isSlow(session.reason)) return sayFailure(session.reason, origin, log);
  // AWS does not answer or does not accept the identity, which matters more than its name.
  if (session.status === "rejected" && failure !== undefined) return sayFailure(failure, origin, log);
  const end = session.status === "fulfilled" ? session.value.expiration : expiration;
  log.info("credentials are returned for this identity", {
    identity: arn ?? origin,
    origin: arn && origin,
    expiration: end === undefined ? undefined : new Date(end).toISOString(),
    cause: failure?.publicMessage,
  });
}

/** It was not there within a client's second, and is on its way. */
function isSlow(reason: unknown): boolean {
  return reason instanceof AppError && reason.code === "upstream-unavailable";
}

function sayFailure(reason: unknown, origin: string | undefined, log: Log): void {
  if (reason instanceof AppError) {
    const { code, publicMessage: cause, hint } = reason;
    log.warning("there are no credentials to return yet", { origin, code, cause, hint });
  } else {
    log.error("credentials failed unexpectedly", { cause: reason instanceof Error ? reason.name : "unknown" });
  }
}

/**
 * Where the engine publishes a TCP port of a container to others than this machine, as `0.0.0.0:51679`: who comes that
 * way looks like the gateway.
 */
export function publishedBeyondLoopback(container: Container, port: number): string[] {
  return container.ports
    .filter(({ containerPort, protocol }) => containerPort === port && protocol === "tcp")
    .filter(({ hostIp = "" }) => !hostIp.startsWith("127.") && hostIp !== "::1")
    .map(({ hostIp, hostPort }) => `${hostIp?.includes(":") ? `[${hostIp}]` : hostIp || "0.0.0.0"}:${hostPort}`);
}
