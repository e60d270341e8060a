/** For a credential_process, in milliseconds. A whole fetch may take longer, so that this error comes first. */
export const PROCESS_TIMEOUT_MS = 50_000;

/**
 * Waits for `promise`, but no longer than `timeoutMs`; the promise itself goes on.
 *
 * @throws what `late` returns, if the time is over
 */
export function withTimeout<T>(promise: Promise<T>, timeoutMs: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
