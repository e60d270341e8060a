import type { NamedSource } from "../aws/types.ts";
import type { Vendor } from "../credentials/vendor.ts";
import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";

/**
 * Fetches what `/creds` will vend and says in one line of the log who the server is, or what was tried and what to run.
 * Nobody waits for it, and it never fails.
 */
export async function sayIdentity(source: NamedSource, vendor: Vendor, log: Log): Promise<void> {
  await source.warm();
  const [who, session] = await Promise.allSettled([source.whoami(), (async () => vendor.vend({ kind: "session" }))()]);
  if (who.status === "rejected") return sayFailure(who.reason, undefined, log);
  const { origin, arn, failure, expiration } = who.value;
  if (session.status === "rejected" && !isSlow(session.reason)) return sayFailure(session.reason, origin, log);
  // AWS does not answer or does not accept the identity, which matters more than its name.
  if (session.status === "rejected" && failure !== undefined) return sayFailure(failure, origin, log);
  const end = session.status === "fulfilled" ? session.value.expiration : expiration;
  log.info("credentials are vended for this identity", {
    identity: arn ?? origin,
    origin: arn && origin,
    expiration: end === undefined ? undefined : new Date(end).toISOString(),
    cause: failure?.publicMessage,
  });
}

/** It was not there within a client's second, and is on its way. */
function isSlow(reason: unknown): boolean {
  return reason instanceof AppError && reason.code === "upstream-unavailable";
}

function sayFailure(reason: unknown, origin: string | undefined, log: Log): void {
  if (reason instanceof AppError) {
    const { code, publicMessage: cause, hint } = reason;
    log.warning("there are no credentials to vend yet", { origin, code, cause, hint });
  } else {
    log.error("credentials failed unexpectedly", { cause: reason instanceof Error ? reason.name : "unknown" });
  }
}
