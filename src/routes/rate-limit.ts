import { LRUCache } from "lru-cache";
import type { RateLimit } from "../config/access.ts";
import { PATH_BYTES_MAX } from "./guard/request.ts";
import { pathOf } from "./path.ts";

const BUCKETS_MAX = 10_000;
const REFUSAL = "You have reached maximum request limit.";

type Fetch = (request: Request) => Response | Promise<Response>;

/**
 * Puts the agent's limit before an answer, to test a client's back-off (task-endpoints 1.1): one bucket for each address
 * and path, 429 when it is empty, and the agent's headers on every answer. `/health` is not counted.
 *
 * @param deps.peerOf the address and the port that a request came from
 * @param deps.now milliseconds of a monotonic clock
 * @param deps.refused called for each refused request
 */
export function limitRate(
  answer: Fetch,
  limit: RateLimit,
  deps: {
    readonly peerOf: (request: Request) => { readonly address: string; readonly port: number };
    readonly now: () => number;
    readonly refused: (path: string, address: string) => void;
  },
): Fetch {
  const buckets = new LRUCache<string, { tokens: number; atMs: number }>({ max: BUCKETS_MAX });

  function take(key: string): boolean {
    const at = deps.now();
    const bucket = buckets.get(key) ?? { tokens: limit.burst, atMs: at };
    bucket.tokens = Math.min(limit.burst, bucket.tokens + ((at - bucket.atMs) / 1_000) * limit.perSecond);
    bucket.atMs = at;
    buckets.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  return async (request) => {
    const path = pathOf(request.url);
    if (path === "/health") return answer(request);
    const { address, port } = deps.peerOf(request);
    // Longer paths are refused anyway, and share one key.
    const isLeft = take(`${address} ${path.length > PATH_BYTES_MAX ? "" : path}`);
    if (!isLeft) deps.refused(path, address);
    const response = isLeft
      ? await answer(request)
      : new Response(REFUSAL, { status: 429, headers: { "content-type": "text/plain; charset=utf-8" } });
    response.headers.set("X-Rate-Limit-Limit", limit.perSecond.toFixed(2));
    response.headers.set("X-Rate-Limit-Duration", "1");
    response.headers.set("X-Rate-Limit-Request-Forwarded-For", request.headers.get("x-forwarded-for") ?? "");
    response.headers.set(
      "X-Rate-Limit-Request-Remote-Addr",
      address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`,
    );
    return response;
  };
}
