/** Random for each process, so that no other server's requests are taken for ours. */
const MARK = `ecs-local-endpoints=${crypto.randomUUID()}`;

/**
 * Marks a URL that we are about to ask for the server's own credentials, so that we notice when it is us who is asked.
 * In the query, because the SDK's provider takes no header of ours; servers of credentials read the path alone.
 */
export function markOwn(url: URL): URL {
  const marked = new URL(url);
  marked.search = marked.search === "" ? MARK : `${marked.search.slice(1)}&${MARK}`;
  return marked;
}

/** Whether a request's URL was marked by this process. */
export function isOwn(url: string): boolean {
  return url.endsWith(MARK);
}
