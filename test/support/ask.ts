import type { RealEngine } from "./real-engine.ts";
import { noteAnswer } from "./secrets.ts";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * The shell words that ask and print the raw answer. Debian's static busybox crashes in wget; nc does. It asks from a
 * pipe that has no end, because Bun drops a peer that closes its half before the answer.
 *
 * @param body what is put there: JSON without a quote of the shell's; it is asked for where there is none
 */
export function askScript(host: string, port: number, path: string, named = toUrlHost(host), body?: string): string {
  const head = `${body === undefined ? "GET" : "PUT"} ${path} HTTP/1.1\\r\\nHost: ${named}\\r\\nConnection: close\\r\\n`;
  const request = `${head}${body === undefined ? "" : `Content-Length: ${body.length}\\r\\n`}\\r\\n${body ?? ""}`;
  return `p=/tmp/p$$; busybox mkfifo $p; exec 3<>$p; busybox rm $p; printf '${request}' >&3; nc ${host} ${port} <&3`;
}

function toUrlHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

export function parseAnswer(raw: string): Answer {
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(raw)?.[1] ?? 0);
  const body = raw.slice(raw.indexOf("\r\n\r\n") + 4);
  noteAnswer(status, body);
  try {
    return { status, body: JSON.parse(body) };
  } catch {
    return { status, body };
  }
}

/** Asks from inside a container. */
export async function ask(engine: RealEngine, id: string, host: string, port: number, path: string): Promise<Answer> {
  return parseAnswer(await engine.exec(id, askScript(host, port, path)));
}

/** Puts a body from inside a container. */
export async function put(
  engine: RealEngine,
  id: string,
  host: string,
  port: number,
  path: string,
  body: string,
): Promise<Answer> {
  return parseAnswer(await engine.exec(id, askScript(host, port, path, undefined, body)));
}
