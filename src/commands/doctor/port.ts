import { isIP } from "node:net";
import type { Config } from "../../config/config.ts";
import { canonicalAddress } from "../../engine/ip-address.ts";
import { type Answering, askHealth } from "../health-client.ts";
import { type Finding, finding } from "./finding.ts";

const NO_NAME = "ENOTFOUND";

/** What is seen of the server's port. */
export interface PortFacts {
  readonly bind: string;
  readonly port: number;
  /** The code of the error of listening there; undefined if it succeeded. */
  readonly refusal: string | undefined;
  readonly answering: Answering;
  /** Whether our server is at 169.254.170.2, so that this port is not needed. */
  readonly isServedElsewhere: boolean;
}

/** Tries the server's port. */
export async function readPort(
  { port, bindAddress: bind }: Pick<Config, "port" | "bindAddress">,
  isServedElsewhere: boolean,
): Promise<PortFacts> {
  const asked = { "0.0.0.0": "127.0.0.1", "::": "127.0.0.1" }[canonicalAddress(bind)] ?? bind;
  const refusal = tryToListen(bind, port);
  const answering: Answering = refusal === "EADDRNOTAVAIL" ? { by: "none" } : await askHealth(asked, port);
  return { bind, port, refusal, answering, isServedElsewhere };
}

/** Whether the server can have its port, or has it. */
export function checkPort(facts: PortFacts): Finding {
  const { bind, port, refusal, answering, isServedElsewhere } = facts;
  const where = `${bind.includes(":") ? `[${bind}]` : bind}:${port}`;
  if (answering.by === "us") {
    return finding("port", "ok", `our server ${answering.version ? `${answering.version} ` : ""}answers at ${where}`);
  }
  if (refusal === undefined) return finding("port", "ok", `${where} is free; our server does not run there`);
  const [text, remedy] = describe(refusal, where, port);
  if (isServedElsewhere) return finding("port", "ok", `${text}, and is not needed: our server is at 169.254.170.2`);
  return finding("port", "problem", text, remedy);
}

function describe(refusal: string, where: string, port: number): [string, string] {
  const other = "--port 51679 or ECS_LOCAL_METADATA_PORT=51679";
  if (refusal === "EADDRINUSE") {
    const see = `see which: sudo ss -ltnp sport = :${port} (docker-proxy or conmon: docker ps or podman ps)`;
    return [`${where} is taken by another process`, `${see}; stop it, or choose a port: ${other}`];
  }
  if (refusal === "EACCES") return [`${where} is forbidden to this user`, `choose a port above 1023: ${other}`];
  if (refusal === "EADDRNOTAVAIL") {
    return [`${where} is not an address of this machine`, "choose one: --bind 127.0.0.1 or ECS_LOCAL_BIND_ADDRESS"];
  }
  if (refusal === NO_NAME) {
    return [`${where} cannot be resolved`, "choose an address: --bind 127.0.0.1 or ECS_LOCAL_BIND_ADDRESS"];
  }
  return [`${where} cannot be used (${refusal})`, "choose another: --port 51679 and --bind 127.0.0.1"];
}

/** Listens for a moment. The code of the error, or undefined if it succeeded. */
export function tryToListen(hostname: string, port: number): string | undefined {
  try {
    Bun.listen({ hostname, port, exclusive: true, socket: { data: () => {} } }).stop(true);
    return undefined;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code === "string") return code;
    // Bun gives no code for an unknown name.
    return isIP(hostname) === 0 ? NO_NAME : "unknown";
  }
}
