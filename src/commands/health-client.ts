import { createConnection } from "node:net";

/** Many times what /health or a refusal is: whoever is at the port may send without end. */
const BODY_BYTES_MAX = 64 * 1024;

/** Of a word that whoever is at a port says, no more is shown. */
export const SHOWN_CHARACTERS_MAX = 80;

/** A GET of this machine or its containers: no redirect leads away, and whatever HTTP_PROXY says, no proxy is the way there. */
export function askHere(url: string, signal: AbortSignal): Promise<Response> {
  // Bun's types do not know `false` yet.
  return fetch(url, { signal, redirect: "manual", proxy: false } as unknown as BunFetchRequestInit);
}

/** The body, cut off at its bound. */
export async function readStart({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk.subarray(0, BODY_BYTES_MAX - bytes), { stream: true });
    bytes += chunk.byteLength;
    if (bytes >= BODY_BYTES_MAX) break;
  }
  return text;
}

/**
 * What our server says at `/health`, undefined if another answers. Fields that we do not know are ignored:
 * it may be newer.
 */
export function healthOf({ status }: Response, text: string): Record<string, unknown> | undefined {
  if (status !== 200) return undefined;
  try {
    const health = Object(JSON.parse(text)) as Record<string, unknown>;
    return health.status === "ok" ? health : undefined;
  } catch {
    return undefined;
  }
}

const DEADLINE_MS = 1_000;

/** What answers at an address: our server, with its version if known, another server, or none. */
export type Answering =
  | { readonly by: "us"; readonly version?: string | undefined }
  | { readonly by: "other" }
  /** Whether a machine or container has the address and refuses the port; else there may be no way to it from here. */
  | { readonly by: "none"; readonly isRefused?: boolean };

type Met = "somebody" | "an error" | "silence";

/**
 * Asks an address for `/health`, as our own server answers it. Never throws, and takes at most two seconds: one to get
 * there, one for the answer.
 */
export async function askHealth(address: string, port: number): Promise<Answering> {
  const met = await tryToConnect(address, port);
  if (met === "silence") return { by: "none" };
  const host = address.includes(":") ? `[${address}]` : address;
  try {
    const answer = await askHere(`http://${host}:${port}/health`, AbortSignal.timeout(DEADLINE_MS));
    const health = healthOf(answer, await readStart(answer));
    if (health === undefined) return { by: "other" };
    const { version } = health;
    return { by: "us", version: typeof version === "string" ? version.slice(0, SHOWN_CHARACTERS_MAX) : undefined };
  } catch (error) {
    // It is there, and says nothing of HTTP.
    if (met === "somebody") return { by: "other" };
    return (error as { code?: unknown }).code === "ECONNREFUSED" ? { by: "none", isRefused: true } : { by: "none" };
  }
}

/** Whether somebody is there. Of an error Bun always says here that it was refused: `fetch` knows which it is. */
function tryToConnect(host: string, port: number): Promise<Met> {
  const { promise, resolve } = Promise.withResolvers<Met>();
  const socket = createConnection({ host, port, timeout: DEADLINE_MS });
  const end = (met: Met) => {
    socket.destroy();
    resolve(met);
  };
  socket.once("connect", () => end("somebody"));
  socket.once("error", () => end("an error"));
  socket.once("timeout", () => end("silence"));
  return promise;
}
