import { createConnection } from "node:net";

const DEADLINE_MS = 1_000;
const BODY_CHARACTERS_MAX = 64 * 1024;

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
    const signal = AbortSignal.timeout(DEADLINE_MS);
    // A proxy for the internet is not the way to this machine.
    const init = { signal, redirect: "manual", proxy: false } as unknown as BunFetchRequestInit;
    const answer = await fetch(`http://${host}:${port}/health`, init);
    const text = (await answer.text()).slice(0, BODY_CHARACTERS_MAX);
    return isOurs(text);
  } catch {
    // It is there, and says nothing of HTTP.
    return { by: "other" };
  }
}

/** Fields that we do not know are none of our business: the server may be newer. */
function isOurs(text: string): Answering {
  try {
    const { status, version } = JSON.parse(text) as { status?: unknown; version?: unknown };
    if (typeof status !== "string") return { by: "other" };
    return { by: "us", version: typeof version === "string" ? version : undefined };
  } catch {
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
