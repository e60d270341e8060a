import type { Config } from "../config.ts";

/** Under the 3 s of the image's HEALTHCHECK, so that the reason is said before the engine ends us. */
const TIMEOUT_MS = 2_000;
const SHOWN_CHARACTERS_MAX = 80;

/** One line for whoever asked, and the exit code: 0 well, 1 not. */
export interface Verdict {
  readonly code: 0 | 1;
  readonly line: string;
}

/**
 * Asks the server that runs with the same configuration for its `/health`. It is well when it answers: what it says of
 * the engine and the identity is repeated and judged by nobody.
 *
 * @param timeoutMs for the whole answer
 */
export async function healthcheck(
  { port, bindAddress }: Pick<Config, "port" | "bindAddress">,
  timeoutMs: number = TIMEOUT_MS,
): Promise<Verdict> {
  const where = `${askable(bindAddress)}:${port}`;
  const unhealthy = (reason: string): Verdict => ({ code: 1, line: `unhealthy: ${where} ${reason}` });
  try {
    const answer = await fetch(`http://${where}/health`, {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: "manual",
      // Whatever HTTP_PROXY says: we ask our own machine. Bun's types do not know `false` yet.
      proxy: false,
    } as unknown as BunFetchRequestInit);
    const text = await answer.text();
    if (answer.status !== 200) return unhealthy(`answers with status ${answer.status}`);
    const health = parse(text);
    if (health?.status !== "ok") return unhealthy(`is not ecs-local-endpoints: it answers ${shown(text)}`);
    return { code: 0, line: `healthy: ${where}${details(health)}` };
  } catch (error) {
    if ((error as Error).name === "TimeoutError") return unhealthy(`does not answer within ${timeoutMs / 1000} s`);
    return unhealthy("is not answered; where the server has --port or --bind, healthcheck needs the same");
  }
}

/** Where the server listens on all addresses, loopback is one of them. */
function askable(bindAddress: string): string {
  if (bindAddress === "0.0.0.0" || bindAddress === "::") return "127.0.0.1";
  return bindAddress.includes(":") ? `[${bindAddress}]` : bindAddress;
}

interface Health {
  readonly status?: string;
  readonly version?: string;
  readonly engine?: string;
  readonly identity?: { readonly status: string; readonly expiration?: string; readonly code?: string };
}

function parse(text: string): Health | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function details({ version, engine, identity }: Health): string {
  if (identity === undefined) return "";
  const end = identity.expiration === undefined ? "" : ` until ${identity.expiration}`;
  const code = identity.code === undefined ? "" : ` (${identity.code})`;
  return `, version ${version}, engine ${engine}, identity ${identity.status}${end}${code}`;
}

function shown(text: string): string {
  const line = JSON.stringify(text.slice(0, SHOWN_CHARACTERS_MAX));
  return text.length > SHOWN_CHARACTERS_MAX ? `${line}...` : line;
}
