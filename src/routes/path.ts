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
