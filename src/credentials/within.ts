/**
 * Waits for `promise`, but no longer than `limitMs`; the promise itself goes on.
 *
 * @throws what `late` gives once the time is up
 */
export function within<T>(promise: Promise<T>, limitMs: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), limitMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
