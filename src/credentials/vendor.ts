import { type CredentialSource, type Credentials, handOutWindowMs, type Role, renewalWindowMs } from "../aws/types.ts";
import { AppError, type ErrorCode } from "../errors.ts";
import type { Log } from "../log.ts";
import { PROCESS_DEADLINE_MS } from "../timeout.ts";
import { createGate } from "./limiter.ts";
import { createMemory } from "./memory.ts";
import { wireEnd } from "./response.ts";
import { sessionNameOf } from "./role.ts";
import { within } from "./within.ts";

export type VendRequest = { readonly kind: "session" } | { readonly kind: "role"; readonly role: Role };

/** `unknown`: it was not asked for yet, or not since it expired. */
type SessionState =
  | { readonly status: "ok"; readonly credentials: Credentials }
  | { readonly status: "failed"; readonly code: ErrorCode }
  | { readonly status: "unknown" };

export interface Vendor {
  /**
   * Answers at once what is cached, else within `coldWaitMs`. Throws AppError, or rejects with it: the source's own,
   * or `upstream-unavailable` while the fetch goes on.
   */
  readonly vend: (request: VendRequest) => Credentials | Promise<Credentials>;
  /** How the identity's own session stands, without asking for it: for a look from outside. */
  readonly session: () => SessionState;
  /** Forgets everything; nothing is asked of the source from then on. */
  readonly close: () => void;
}

interface Flight {
  readonly result: Promise<Credentials>;
  /** By the clock that nobody sets. */
  readonly since: number;
}

/** So few that each has its turn soon, though a caller asks for thousands and AWS is slow. */
const WAITING_MAX = 96;
/** No role is called so. */
const SESSION_KEY = "";

/**
 * Vends credentials from `source`, asking it once per role and life however many ask us.
 *
 * @param options.now milliseconds since 1970: what AWS's expirations are held against
 * @param options.monotonic milliseconds of a clock that nobody sets, which stands still while the machine sleeps. What
 *   either clock says has expired is not handed out.
 * @param options.coldWaitMs how long a request may wait; clients of two languages hang up after 1 s
 * @param options.fetchMs how long one fetch may take, with all its calls
 * @param options.failureMs how long a failure is answered from memory
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
  const {
    source,
    now,
    monotonic = now,
    log,
    coldWaitMs = 900,
    fetchMs = PROCESS_DEADLINE_MS + 10_000,
    failureMs = 5000,
  } = options;
  const { entriesMax = 1000, upstreamMax = 16, waitingMax = WAITING_MAX } = options;
  const memory = createMemory({ now, monotonic, failureMs, entriesMax });
  const enter = createGate({ runningMax: upstreamMax, waitingMax });
  let flights = new Map<string, Flight>();
  let identity = source.fingerprint();
  let closed = false;

  function vend(request: VendRequest): Credentials | Promise<Credentials> {
    const fingerprint = source.fingerprint();
    if (fingerprint !== identity) forget(fingerprint);
    const key = request.kind === "session" ? SESSION_KEY : request.role.id;
    const held = memory.held(key);
    const left = held === undefined ? 0 : memory.leftMs(held);
    if (held === undefined || left <= 0) {
      const failure = memory.failure(key);
      if (failure !== undefined && monotonic() < failure.until) throw failure.error;
      return wait(fly(key, request));
    }
    if (left > renewalWindowMs(held.lifeMs) || monotonic() < held.notBefore) return held.credentials;
    const renewal = fly(key, request);
    // Who comes to a renewal that is slow gains nothing by a wait of his own.
    const isSlow = monotonic() - renewal.since >= coldWaitMs;
    if (isSlow || left > handOutWindowMs(held.lifeMs)) return held.credentials;
    return wait(renewal).catch((error: unknown) => {
      if (memory.leftMs(held) > 0) return held.credentials;
      throw error;
    });
  }

  function session(): SessionState {
    if (source.fingerprint() !== identity) return { status: "unknown" };
    const held = memory.held(SESSION_KEY);
    if (held !== undefined && memory.leftMs(held) > 0) return { status: "ok", credentials: held.credentials };
    const failure = memory.failure(SESSION_KEY);
    return failure === undefined ? { status: "unknown" } : { status: "failed", code: failure.error.code };
  }

  function wait({ result }: Flight): Promise<Credentials> {
    return within(result, coldWaitMs, () => {
      const hint = "retry: what arrives is kept for you";
      return new AppError("upstream-unavailable", "still fetching the credentials from AWS", { hint });
    });
  }

  /** One flight per key, however many wait for it; it goes on when they have left. Throws AppError where too many are. */
  function fly(key: string, request: VendRequest): Flight {
    const under = flights.get(key);
    if (under !== undefined) return under;
    const mine = flights;
    // Nobody can make these up.
    const goesFirst = request.kind === "session" || memory.held(key) !== undefined;
    const result = enter(() => within(fetchFrom(request), fetchMs, stuck), goesFirst).then(
      (credentials) => {
        mine.delete(key);
        if (mine === flights) memory.keep(key, credentials);
        return credentials;
      },
      (error: unknown) => {
        mine.delete(key);
        const failure = asAppError(error);
        if (mine === flights) remember(key, failure);
        throw failure;
      },
    );
    // A renewal in the background has nobody who waits; its failure is logged.
    result.catch(() => {});
    const flight = { result, since: monotonic() };
    mine.set(key, flight);
    return flight;
  }

  /**
   * Each step below has a deadline of its own, a credential_process the longest, so that only their sum comes here. The
   * next request starts another fetch.
   */
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
    // What the wire says has ended must not be handed out for the rest of that second.
    const credentials = { ...given, expiration: wireEnd(given.expiration) };
    if (now() < credentials.expiration) return credentials;
    const text = `the credentials that were obtained expired at ${new Date(credentials.expiration).toISOString()}`;
    throw new AppError("identity-failed", text, { hint: "renew them, and check this machine's clock with: date -u" });
  }

  function remember(key: string, error: AppError): void {
    const isHeld = memory.remember(key, error);
    const event = isHeld ? "renewal failed" : "the credentials could not be fetched";
    log.warning(event, { role: key, code: error.code, cause: error.publicMessage, hint: error.hint });
  }

  /** What is under way goes on for those who wait for it, but is not kept: it belongs to the former identity. */
  function forget(fingerprint: string): void {
    identity = fingerprint;
    memory.clear();
    flights = new Map();
  }

  function close(): void {
    closed = true;
    forget(identity);
  }
  return { vend, session, close };
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const hint = "retry; restart the server if it stays so";
  return new AppError("upstream-refused", "the credentials could not be fetched", { hint, cause: error });
}
