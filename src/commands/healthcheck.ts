import type { Config } from "../config/config.ts";
import { askHere, healthOf, readStart, SHOWN_CHARACTERS_MAX } from "./health-client.ts";

/** Under the 3 s of the image's HEALTHCHECK, so that the reason is printed before the engine ends us. */
const TIMEOUT_MS = 2_000;

/** One line for whoever asked, and the exit code: 0 well, 1 not. */
export interface Verdict {
  readonly code: 0 | 1;
  readonly line: string;
}

/**
 * Asks the server that runs with the same configuration for its `/health`. It is well when it answers: what it says of
 * the engine and the identity is printed, and does not change the result.
 *
 * @param timeoutMs for the whole answer
 */
export async function healthcheck(
  { port, bindAddress }: Pick<Config, "port" | "bindAddress">,
  timeoutMs: number = TIMEOUT_MS,
): Promise<Verdict> {
  const where = `${askable(bindAddress)}:${port}`;
  const unhealthy = (reason: string): Verdict => ({ code: 1, line: oneLine(`unhealthy: ${where} ${reason}`) });
  try {
    const answer = await askHere(`http://${where}/health`, AbortSignal.timeout(timeoutMs));
    const text = await readStart(answer);
    if (answer.status !== 200) return unhealthy(`answers with status ${answer.status}`);
    const health = healthOf(answer, text);
    if (health === undefined) return unhealthy(`is not ecs-local-endpoints: it answers ${shown(text)}`);
    return { code: 0, line: oneLine(`healthy: ${where}${details(health)}`) };
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

/** Of what the server says, that which has the shape of it: it may be another version, or another program. */
function details({ version, engine, identity }: Record<string, unknown>): string {
  const { status, expiration, code } = Object(identity) as Record<string, unknown>;
  const part = (before: string, value: unknown, after = "") =>
    typeof value === "string" ? `${before}${value.slice(0, SHOWN_CHARACTERS_MAX)}${after}` : "";
  const who = part(", identity ", status);
  const rest = who === "" ? "" : part(" until ", expiration) + part(" (", code, ")");
  return part(", version ", version) + part(", engine ", engine) + who + rest;
}

/** Text of another server neither ends the line nor moves the terminal's cursor. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
}

function shown(text: string): string {
  const line = JSON.stringify(text.slice(0, SHOWN_CHARACTERS_MAX));
  return text.length > SHOWN_CHARACTERS_MAX ? `${line}...` : line;
}
