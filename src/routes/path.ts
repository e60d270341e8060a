/**
 * The path of a request's URL as Bun has it, with `..` and backslashes resolved, without the query: Elysia does not decode what a wildcard matched, and
 * decodes a parameter by rules of its own. A request of HTTP/1.0 without a Host has a URL that is only a path.
 */
export function pathOf(url: string): string {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  const query = url.indexOf("?", start);
  return query === -1 ? url.slice(start) : url.slice(start, query);
}

/** Whether a path is one of those that vend. */
export function isCredentialsPath(path: string): boolean {
  return /^\/(creds|role|role-arn|v2\/credentials)(\/|$)/.test(path);
}

/** What a path under `/api` asks for. The identifier is as it was sent; undefined if the caller is meant. */
interface AgentPath {
  readonly kind: "protection" | "fault";
  readonly identifier: string | undefined;
}

const PROTECTION = /^task-protection\/v1\/state$/;
const FAULT = /^fault\/v1\/network-(blackhole-port|latency|packet-loss)\/(start|stop|status)$/;

/**
 * The agent's routes under `ECS_AGENT_URI`, `/api[/containers]/<id>/...` and without an identifier `/api/...`; undefined
 * for what is none. A slash at the end counts for nothing.
 */
export function readAgentPath(path: string): AgentPath | undefined {
  if (!path.startsWith("/api/")) return undefined;
  const [, ...segments] = path.split("/").filter((segment) => segment !== "");
  const own = kindOf(segments);
  if (own !== undefined) return { kind: own, identifier: undefined };
  const [identifier, ...rest] = segments[0] === "containers" ? segments.slice(1) : segments;
  const kind = kindOf(rest);
  return kind && identifier !== undefined ? { kind, identifier } : undefined;
}

function kindOf(segments: readonly string[]): AgentPath["kind"] | undefined {
  const rest = segments.join("/");
  if (PROTECTION.test(rest)) return "protection";
  return FAULT.test(rest) ? "fault" : undefined;
}
