import { createConnection } from "node:net";
import { askHere, healthOf, readStart, SHOWN_CHARACTERS_MAX } from "../ask-here.ts";

const DEADLINE_MS = 1_000;

/** Who answers at an address: our server with its version where it says one, somebody else, or nobody. */
export type Answering =
  | { readonly by: "us"; readonly version?: string | undefined }
  | { readonly by: "other" }
  | { readonly by: "nobody" };

/**
 * Asks an address for `/health`, as our own server answers it. Never throws. Where nobody is, it takes at most a second; a
 * process that accepts and says nothing takes another.
 */
export async function askHealth(address: string, port: number): Promise<Answering> {
  if (!(await accepts(address, port))) return { by: "nobody" };
  const host = address.includes(":") ? `[${address}]` : address;
  try {
    const answer = await askHere(`http://${host}:${port}/health`, AbortSignal.timeout(DEADLINE_MS));
    const health = healthOf(answer, await readStart(answer));
    if (health === undefined) return { by: "other" };
    const { version } = health;
    return { by: "us", version: typeof version === "string" ? version.slice(0, SHOWN_CHARACTERS_MAX) : undefined };
  } catch {
    // It is there, and says nothing of HTTP.
    return { by: "other" };
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createConnection({ host, port, timeout: DEADLINE_MS });
  const end = (answer: boolean) => {
    socket.destroy();
    resolve(answer);
  };
  socket.once("connect", () => end(true));
  socket.once("error", () => end(false));
  socket.once("timeout", () => end(false));
  return promise;
}
