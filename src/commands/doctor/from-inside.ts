import { type Answering, askHealth, askHere, readStart } from "../health-client.ts";
import type { Answered } from "./reachability.ts";

const DEADLINE_MS = 3_000;
const RETRY_MS = 200;
const MESSAGE_CHARACTERS_MAX = 1_000;

/** What the program says when it asks from inside of a container. */
interface InsideAnswers {
  readonly credentials?: Answered;
  readonly metadata?: Answered;
  readonly server: Answering["by"];
}

/**
 * Asks where an SDK asks. A body is read only where it is a refusal: credentials never leave the answer.
 *
 * @param address such as 169.254.170.2
 */
export async function askFromInside(address: string, port: number): Promise<InsideAnswers> {
  const base = `http://${address}:${port}`;
  const until = performance.now() + DEADLINE_MS;
  const [credentials, metadata, answering] = await Promise.all([
    ask(`${base}/creds`, until),
    ask(`${base}/v3`, until),
    askHealth(address, port),
  ]);
  return { ...(credentials && { credentials }), ...(metadata && { metadata }), server: answering.by };
}

async function ask(url: string, until: number): Promise<Answered | undefined> {
  let last: Answered | undefined;
  do {
    const leftMs = Math.max(1, until - performance.now());
    try {
      const answer = await askHere(url, AbortSignal.timeout(leftMs));
      if (answer.ok) {
        await answer.body?.cancel();
        return { status: answer.status };
      }
      last = { status: answer.status, message: messageOf(await readStart(answer)) };
    } catch {
      return last;
    }
    // "Still fetching, retry": as an SDK does.
    if (last.status === 503) await Bun.sleep(RETRY_MS);
  } while (last.status === 503 && performance.now() < until);
  return last;
}

/** The text of our errors: an object's message, or a JSON string. */
function messageOf(body: string): string | undefined {
  try {
    const value = JSON.parse(body) as string | { message?: unknown };
    const text = typeof value === "string" ? value : value.message;
    return typeof text === "string" ? text.slice(0, MESSAGE_CHARACTERS_MAX) : undefined;
  } catch {
    return undefined;
  }
}
