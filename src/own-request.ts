/** The end of the URL of our own requests, random for each process. */
export const OWN_MARK = `ecs-local-endpoints=${crypto.randomUUID()}`;

/**
 * Marks a URL of the server's own credentials, so that a request to ourselves is recognized.
 * In the query, because the SDK's provider takes no header of ours; servers of credentials read the path alone.
 */
export function markOwn(url: URL): URL {
  const marked = new URL(url);
  marked.search = marked.search === "" ? OWN_MARK : `${marked.search.slice(1)}&${OWN_MARK}`;
  return marked;
}
