/**
 * The one cache rule: what is derived from the containers is good for one revision of their store.
 *
 * @param make derives it; called again when the revision has changed
 */
export function perRevision<T>(store: { readonly revision: () => number }, make: () => T): () => T {
  let revision = Number.NaN;
  let value: T;
  return () => {
    const current = store.revision();
    if (current !== revision) {
      value = make();
      revision = current;
    }
    return value;
  };
}
