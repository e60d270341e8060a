import { LRUCache } from "lru-cache";
import type { CredentialSource, Credentials, Role } from "../aws/contract.ts";
import { handOutWindowMs, renewalWindowMs } from "../aws/lifetime.ts";
import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import { createGate } from "./gate.ts";
import { sessionNameOf } from "./role.ts";
import { within } from "./within.ts";

export type VendRequest = { readonly kind: "session" } | { readonly kind: "role"; readonly role: Role };

export interface Vendor {
  /**
   * Answers at once what is cached, else within `coldWaitMs`. Throws AppError, or rejects with it: the source's own,
   * or `upstream-unavailable` while the fetch goes on.
   */
  readonly vend: (request: VendRequest) => Credentials | Promise<Credentials>;
  /** Forgets everything; nothing is asked of the source from then on. */
  readonly close: () => void;
}

/** What is known of one role, in milliseconds since 1970. Either `credentials` or `failure` is set. */
interface Entry {
  readonly credentials?: Credentials;
  readonly failure?: AppError;
  /** When to ask the source again: ahead of the end, or once the failure is forgotten. */
  readonly retryAt: number;
  /** From then on too little is left to hand out without waiting for a renewal. */
  readonly waitFrom: number;
}

/**
 * Vends credentials from `source`, asking it once per role and life however many ask us.
 *
 * @param options.now milliseconds since 1970
 * @param options.coldWaitMs how long a request may wait; clients of two languages hang up after 1 s
 * @param options.failureMs how long a failure is answered from memory
 */
export function createVendor(options: {
  readonly source: CredentialSource;
  readonly now: () => number;
  readonly log: Log;
  readonly coldWaitMs?: number;
  readonly failureMs?: number;
  readonly entriesMax?: number;
  readonly upstreamMax?: number;
}): Vendor {
  const { source, now, log, coldWaitMs = 900, failureMs = 5000, entriesMax = 1000, upstreamMax = 16 } = options;
  const entries = new LRUCache<string, Entry>({ max: entriesMax });
  const enter = createGate({ runningMax: upstreamMax, waitingMax: entriesMax });
  let flights = new Map<string, Promise<Credentials>>();
  let identity = source.fingerprint();
  let closed = false;

  function vend(request: VendRequest): Credentials | Promise<Credentials> {
    const fingerprint = source.fingerprint();
    if (fingerprint !== identity) forget(fingerprint);
    const key = request.kind === "session" ? "" : request.role.id;
    const entry = entries.get(key);
    const at = now();
    const held = entry?.credentials;
    if (entry !== undefined && held !== undefined && at < held.expiration) {
      if (at < entry.retryAt) return held;
      const renewal = fly(key, request, held);
      if (at < entry.waitFrom) return held;
      return wait(renewal).catch((error: unknown) => {
        if (now() < held.expiration) return held;
        throw error;
      });
    }
    if (entry?.failure !== undefined && at < entry.retryAt) throw entry.failure;
    return wait(fly(key, request, undefined));
  }

  function wait(flight: Promise<Credentials>): Promise<Credentials> {
    return within(flight, coldWaitMs, () => {
      const hint = "retry: what arrives is kept for you";
      return new AppError("upstream-unavailable", "still fetching the credentials from AWS", { hint });
    });
  }

  /** One flight per key, however many wait for it; it goes on when they have left. */
  function fly(key: string, request: VendRequest, held: Credentials | undefined): Promise<Credentials> {
    const under = flights.get(key);
    if (under !== undefined) return under;
    if (closed) throw new AppError("upstream-unavailable", "the server is stopping", { hint: "retry" });
    const mine = flights;
    const flight = enter(() => fetchFrom(request)).then(
      (credentials) => {
        mine.delete(key);
        if (mine === flights) entries.set(key, kept(credentials));
        return credentials;
      },
      (error: unknown) => {
        mine.delete(key);
        const failure = asAppError(error);
        if (mine === flights) entries.set(key, failed(entries.peek(key), failure));
        if (held) log.warning("renewal failed", { role: key, code: failure.code, cause: failure.publicMessage });
        throw failure;
      },
    );
    // A renewal in the background has nobody who waits; its failure was logged above.
    flight.catch(() => {});
    mine.set(key, flight);
    return flight;
  }

  async function fetchFrom(request: VendRequest): Promise<Credentials> {
    const credentials =
      request.kind === "session"
        ? await source.session()
        : await source.assume(request.role, sessionNameOf(request.role));
    if (now() < credentials.expiration) return credentials;
    const text = `the credentials that were obtained expired at ${new Date(credentials.expiration).toISOString()}`;
    throw new AppError("identity-failed", text, { hint: "renew them, and check this machine's clock" });
  }

  function kept(credentials: Credentials): Entry {
    const end = credentials.expiration;
    const lifeMs = end - now();
    // A source that gives the same set again must not be asked on every request.
    const retryAt = Math.max(end - renewalWindowMs(lifeMs), now() + failureMs);
    return { credentials, retryAt, waitFrom: end - handOutWindowMs(lifeMs) };
  }

  function failed(previous: Entry | undefined, failure: AppError): Entry {
    const retryAt = now() + failureMs;
    const held = previous?.credentials;
    if (previous && held && now() < held.expiration) return { credentials: held, retryAt, waitFrom: previous.waitFrom };
    return { failure, retryAt, waitFrom: 0 };
  }

  /** What is under way goes on for those who wait for it, but is not kept: it belongs to the former identity. */
  function forget(fingerprint: string): void {
    identity = fingerprint;
    entries.clear();
    flights = new Map();
  }

  function close(): void {
    closed = true;
    forget(identity);
  }
  return { vend, close };
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError("upstream-refused", "the credentials could not be fetched", { cause: error });
}
