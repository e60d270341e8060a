/**
 * How long a credential_process may take, in milliseconds. A fetch may take longer, so that who runs into this is told
 * of the program.
 */
export const PROCESS_DEADLINE_MS = 50_000;

/**
 * What `promise` comes to, or a rejection with what `late` makes once `ms` have passed: several of the SDK's providers
 * wait for ever. It goes on where nobody waits for it any more.
 */
export async function withDeadline<T>(promise: Promise<T>, ms: number, late: () => Error): Promise<T> {
  const { promise: passed, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), ms);
  promise.catch(() => {});
  try {
    return await Promise.race([promise, passed]);
  } finally {
    clearTimeout(timer);
  }
}
