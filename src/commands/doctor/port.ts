import { isIP } from "node:net";
import type { Answering } from "../health-client.ts";
import { type Finding, finding } from "./finding.ts";

const NO_NAME = "ENOTFOUND";

/** What is seen of the port that the server is to have. */
export interface PortFacts {
  readonly bind: string;
  readonly port: number;
  /** The error of listening on it ourselves for a moment, by its code; undefined where it could be had. */
  readonly refusal: string | undefined;
  readonly answering: Answering;
  /** Which process has it, as far as it can be told. */
  readonly listener: string | undefined;
  /** Whether our server is at 169.254.170.2, as a container for instance, so that this port is not needed. */
  readonly isServedElsewhere: boolean;
}

/** Whether the server can have its port, or has it. */
export function checkPort(facts: PortFacts): Finding {
  const { bind, port, refusal, answering, listener, isServedElsewhere } = facts;
  const where = `${bind.includes(":") ? `[${bind}]` : bind}:${port}`;
  if (answering.by === "us") {
    return finding("port", "ok", `our server ${answering.version ? `${answering.version} ` : ""}answers at ${where}`);
  }
  if (refusal === undefined) return finding("port", "ok", `${where} is free; no server of ours runs there`);
  const [what, remedy] = describe(facts, where, listener);
  if (isServedElsewhere) return finding("port", "ok", `${what}, and is not needed: our server is at 169.254.170.2`);
  return finding("port", "problem", what, remedy);
}

function describe({ refusal }: PortFacts, where: string, listener: string | undefined): [string, string] {
  if (refusal === "EADDRINUSE") {
    const who = listener ?? "another process (sudo tells which)";
    // Ended by hand, the container that it serves would go on without its port.
    const [, proxy] = /^(docker-proxy|conmon|rootlessport) /.exec(who) ?? [];
    const ps = proxy === "docker-proxy" ? "docker ps" : "podman ps";
    const stop = proxy === undefined ? "stop that one" : `stop the container that publishes it (${ps} shows which)`;
    return [`${where} is taken by ${who}`, `${stop}, or choose a port: --port 51679 or ECS_LOCAL_METADATA_PORT=51679`];
  }
  if (refusal === "EACCES") {
    return [
      `${where} is forbidden to this user`,
      "choose a port above 1023: --port 51679 or ECS_LOCAL_METADATA_PORT=51679",
    ];
  }
  if (refusal === "EADDRNOTAVAIL") {
    return [`${where} is no address of this machine`, "choose one that is: --bind 127.0.0.1 or ECS_LOCAL_BIND_ADDRESS"];
  }
  if (refusal === NO_NAME) {
    return [`${where} is no name of an address`, "choose an address: --bind 127.0.0.1 or ECS_LOCAL_BIND_ADDRESS"];
  }
  return [`${where} cannot be used (${refusal})`, "choose another: --port 51679 and --bind 127.0.0.1"];
}

/** Listens for a moment. The code of the error, or undefined where it could. */
export function tryToListen(hostname: string, port: number): string | undefined {
  try {
    Bun.listen({ hostname, port, exclusive: true, socket: { data: () => {} } }).stop(true);
    return undefined;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code === "string") return code;
    // Of a name that nobody knows Bun says no code.
    return isIP(hostname) === 0 ? NO_NAME : "unknown";
  }
}
