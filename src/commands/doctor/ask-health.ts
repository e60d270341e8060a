import { createConnection } from "node:net";
import { askHere, healthOf, readStart, SHOWN_CHARACTERS_MAX } from "../health-client.ts";

const DEADLINE_MS = 1_000;

/** Who answers at an address: our server with its version where it says one, somebody else, or nobody. */
export type Answering =
  | { readonly by: "us"; readonly version?: string | undefined }
  | { readonly by: "other" }
  /** Whether a machine or container has the address and refuses the port; else there may be no way to it from here. */
  | { readonly by: "nobody"; readonly isRefused?: boolean };

type Met = "somebody" | "an error" | "silence";

/**
 * Asks an address for `/health`, as our own server answers it. Never throws, and takes at most two seconds: one to get
 * there, one for the answer.
 */
export async function askHealth(address: string, port: number): Promise<Answering> {
  const met = await tryToConnect(address, port);
  if (met === "silence") return { by: "nobody" };
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
    return (error as { code?: unknown }).code === "ECONNREFUSED" ? { by: "nobody", isRefused: true } : { by: "nobody" };
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
