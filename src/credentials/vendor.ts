import { LRUCache } from "lru-cache";
import { type CredentialSource, type Credentials, handOutWindowMs, type Role, renewalWindowMs } from "../aws/types.ts";
import { AppError, type ErrorCode } from "../errors.ts";
import type { Log } from "../log.ts";
import { PROCESS_TIMEOUT_MS, withTimeout } from "../timeout.ts";
import { createLimiter } from "./limiter.ts";
import { wireExpiration } from "./response.ts";
import { sessionNameOf } from "./role.ts";

export type VendRequest = { readonly kind: "session" } | { readonly kind: "role"; readonly role: Role };

/** `unknown`: not requested yet, or not since it expired. */
type SessionState =
  | { readonly status: "ok"; readonly credentials: Credentials }
  | { readonly status: "failed"; readonly code: ErrorCode }
  | { readonly status: "unknown" };

export interface Vendor {
  /**
   * Answers at once from the cache, else within `coldWaitMs`. Throws or rejects with AppError: the source's own, or
   * `upstream-unavailable` while the fetch goes on.
   */
  readonly vend: (request: VendRequest) => Credentials | Promise<Credentials>;
  /** The state of the identity's own session, for `/health`; fetches nothing. */
  readonly session: () => SessionState;
  /** Clears the cache; the source is not called again. */
  readonly close: () => void;
}

interface CacheEntry {
  readonly credentials: Credentials;
  /** Their lifetime when they came, in milliseconds. */
  readonly lifetimeMs: number;
  /** No renewal starts before, on the monotonic clock. */
  readonly notBeforeMs: number;
}

interface Failure {
  readonly error: AppError;
  /** On the monotonic clock. */
  readonly untilMs: number;
}

interface Fetch {
  readonly result: Promise<Credentials>;
  /** On the monotonic clock. */
  readonly startedMs: number;
}

const WAITING_MAX = 96;
/** Not the id of any role. */
const SESSION_KEY = "";

/**
 * Caches the credentials of `source`: one fetch per role at a time, renewed ahead of their expiration, and returned until
 * they expire if the renewal fails.
 *
 * @param options.now milliseconds since 1970, to compare with AWS's expirations
 * @param options.monotonic milliseconds, for the times between fetches
 * @param options.coldWaitMs how long a request may wait: clients in two languages hang up after 1 s
 * @param options.fetchMs how long one fetch may take, with all its calls
 * @param options.failureMs how long a failure is answered without another fetch
 */
export function createVendor(options: {
  readonly source: CredentialSource;
  readonly now: () => number;
  readonly monotonic?: () => number;
  readonly log: Log;
  readonly coldWaitMs?: number;
  readonly fetchMs?: number;
  readonly failureMs?: number;
  readonly entriesMax?: number;
  readonly upstreamMax?: number;
  readonly waitingMax?: number;
}): Vendor {
  const { source, now, monotonic = now, log } = options;
  const { coldWaitMs = 900, fetchMs = PROCESS_TIMEOUT_MS + 10_000, failureMs = 5000 } = options;
  const { entriesMax = 1000, upstreamMax = 16, waitingMax = WAITING_MAX } = options;
  // Two caches: many roles that do not exist cannot evict one that does.
  const entries = new LRUCache<string, CacheEntry>({ max: entriesMax });
  const failures = new LRUCache<string, Failure>({ max: entriesMax });
  const limit = createLimiter({ runningMax: upstreamMax, waitingMax });
  let fetches = new Map<string, Fetch>();
  let version = source.version();
  let closed = false;

  const remainingMs = ({ credentials }: CacheEntry): number => credentials.expiration - now();

  function vend(request: VendRequest): Credentials | Promise<Credentials> {
    if (source.version() !== version) clear();
    const key = request.kind === "session" ? SESSION_KEY : request.role.id;
    const entry = entries.get(key);
    const leftMs = entry === undefined ? 0 : remainingMs(entry);
    if (entry === undefined || leftMs <= 0) {
      const failure = failures.get(key);
      if (failure !== undefined && monotonic() < failure.untilMs) throw failure.error;
      return wait(fetch(key, request));
    }
    if (leftMs > renewalWindowMs(entry.lifetimeMs) || monotonic() < entry.notBeforeMs) return entry.credentials;
    const renewal = fetch(key, request);
    const isSlow = monotonic() - renewal.startedMs >= coldWaitMs;
    if (isSlow || leftMs > handOutWindowMs(entry.lifetimeMs)) return entry.credentials;
    return wait(renewal).catch((error: unknown) => {
      if (remainingMs(entry) > 0) return entry.credentials;
      throw error;
    });
  }

  function session(): SessionState {
    if (source.version() !== version) return { status: "unknown" };
    const entry = entries.get(SESSION_KEY);
    if (entry !== undefined && remainingMs(entry) > 0) return { status: "ok", credentials: entry.credentials };
    const failure = failures.get(SESSION_KEY);
    return failure === undefined ? { status: "unknown" } : { status: "failed", code: failure.error.code };
  }

  function wait({ result }: Fetch): Promise<Credentials> {
    return withTimeout(result, coldWaitMs, () => {
      const hint = "retry: what arrives is kept for you";
      return new AppError("upstream-unavailable", "still fetching the credentials from AWS", { hint });
    });
  }

  /** One fetch per key. It goes on when its callers have left. */
  function fetch(key: string, request: VendRequest): Fetch {
    const current = fetches.get(key);
    if (current !== undefined) return current;
    const mine = fetches;
    // Callers cannot make these up, so they are not refused and go before the others.
    const isFirst = request.kind === "session" || entries.has(key);
    const result = limit(() => withTimeout(fetchFrom(request), fetchMs, stuck), isFirst).then(
      (credentials) => {
        mine.delete(key);
        if (mine === fetches) keep(key, credentials);
        return credentials;
      },
      (error: unknown) => {
        mine.delete(key);
        const failure = asAppError(error);
        if (mine === fetches) keepFailure(key, failure);
        throw failure;
      },
    );
    // A renewal in the background has no caller; its failure is logged.
    result.catch(() => {});
    const started = { result, startedMs: monotonic() };
    mine.set(key, started);
    return started;
  }

  /** Each call has a timeout of its own, so that this one comes only when their sum is too long. */
  function stuck(): AppError {
    const hint = "check whether a credential_process of the profile waits for something, and retry";
    return new AppError("upstream-unavailable", `the credentials did not come within ${fetchMs / 1000} s`, { hint });
  }

  async function fetchFrom(request: VendRequest): Promise<Credentials> {
    if (closed) throw new AppError("upstream-unavailable", "the server is stopping", { hint: "retry" });
    const given =
      request.kind === "session"
        ? await source.session()
        : await source.assume(request.role, sessionNameOf(request.role));
    // The response has whole seconds: credentials are not returned in the rest of the last one.
    const credentials = { ...given, expiration: wireExpiration(given.expiration) };
    if (now() < credentials.expiration) return credentials;
    const text = `the credentials that were obtained expired at ${new Date(credentials.expiration).toISOString()}`;
    throw new AppError("identity-failed", text, { hint: "renew them, and check this machine's clock with: date -u" });
  }

  function keep(key: string, credentials: Credentials): void {
    // A source that returns the same credentials again must not be called on every request.
    const notBeforeMs = monotonic() + failureMs;
    entries.set(key, { credentials, lifetimeMs: credentials.expiration - now(), notBeforeMs });
    failures.delete(key);
  }

  function keepFailure(key: string, error: AppError): void {
    const untilMs = monotonic() + failureMs;
    const entry = entries.get(key);
    if (entry !== undefined) entries.set(key, { ...entry, notBeforeMs: untilMs });
    const isStillValid = entry !== undefined && remainingMs(entry) > 0;
    if (!isStillValid) failures.set(key, { error, untilMs });
    const event = isStillValid ? "renewal failed" : "the credentials could not be fetched";
    log.warning(event, { role: key, code: error.code, cause: error.publicMessage, hint: error.hint });
  }

  /** Fetches of the former identity go on for their callers, but are not kept. */
  function clear(): void {
    version = source.version();
    entries.clear();
    failures.clear();
    fetches = new Map();
  }

  function close(): void {
    closed = true;
    clear();
  }
  return { vend, session, close };
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const hint = "retry; restart the server if it stays so";
  return new AppError("upstream-refused", "the credentials could not be fetched", { hint, cause: error });
}
