import { LRUCache } from "lru-cache";
import type { Credentials } from "../aws/types.ts";
import type { AppError } from "../errors.ts";

/** Credentials of one role that can still be handed out. */
export interface Held {
  readonly credentials: Credentials;
  /** What was left of them when they came, in milliseconds. */
  readonly lifeMs: number;
  /** When that was, by the clock that nobody sets. */
  readonly since: number;
  /** Until then, by the same clock, the source is not asked again. */
  readonly notBefore: number;
}

interface Failure {
  readonly error: AppError;
  /** Until then, by the clock that nobody sets, it is the answer. */
  readonly until: number;
}

/** What the source said last of each role, by key. */
export interface Memory {
  readonly held: (key: string) => Held | undefined;
  /** What is left of them now, in milliseconds; none where either clock says that they have expired. */
  readonly leftMs: (held: Held) => number;
  /** How it went last, where nothing came. */
  readonly failure: (key: string) => Failure | undefined;
  readonly keep: (key: string, credentials: Credentials) => void;
  /** @returns whether what is held outlives the failure */
  readonly remember: (key: string, error: AppError) => boolean;
  readonly clear: () => void;
}

/**
 * @param options.now milliseconds since 1970: what AWS's expirations are held against
 * @param options.monotonic milliseconds of a clock that nobody sets, which stands still while the machine sleeps
 * @param options.failureMs for how long the source is not asked again
 */
export function createMemory(options: {
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly failureMs: number;
  readonly entriesMax: number;
}): Memory {
  const { now, monotonic, failureMs, entriesMax } = options;
  // Apart, so that a thousand roles that do not exist push out none that does.
  const entries = new LRUCache<string, Held>({ max: entriesMax });
  const failures = new LRUCache<string, Failure>({ max: entriesMax });

  function leftMs({ credentials, lifeMs, since }: Held): number {
    return Math.min(credentials.expiration - now(), lifeMs - (monotonic() - since));
  }

  return {
    held: (key) => entries.get(key),
    leftMs,
    failure: (key) => failures.get(key),
    keep(key, credentials) {
      const since = monotonic();
      const lifeMs = Math.min(credentials.expiration - now(), credentials.lifeMsMax ?? Number.POSITIVE_INFINITY);
      // A source that gives the same set again must not be asked on every request.
      entries.set(key, { credentials, lifeMs, since, notBefore: since + failureMs });
      failures.delete(key);
    },
    remember(key, error) {
      const until = monotonic() + failureMs;
      const held = entries.get(key);
      // What has expired by a clock that was set is good again once the clock is.
      if (held !== undefined) entries.set(key, { ...held, notBefore: until });
      if (held !== undefined && leftMs(held) > 0) return true;
      failures.set(key, { error, until });
      return false;
    },
    clear() {
      entries.clear();
      failures.clear();
    },
  };
}
