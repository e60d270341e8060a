import type { IdentityFacts } from "../../aws/types.ts";
import { type Finding, failed, finding } from "./finding.ts";

/** Less than what clients want to have left when they take credentials up. */
const SHORT_MS = 15 * 60_000;

/**
 * Who the server would be, and until when.
 *
 * @param whoami asks for it, bounded
 * @param now milliseconds since 1970
 */
export async function checkIdentity(
  isOffline: boolean,
  whoami: () => Promise<IdentityFacts>,
  now: number,
): Promise<Finding> {
  if (isOffline) return finding("identity", "ok", "dummy credentials (offline): AWS is never asked");
  try {
    return describe(await whoami(), now);
  } catch (error) {
    return failed("identity", "problem", error);
  }
}

function describe({ origin, arn, expiration, failure }: IdentityFacts, now: number): Finding {
  if (failure !== undefined) return failed("identity", "problem", failure);
  const who = `${arn ?? "unknown"} by ${origin}`;
  if (expiration === undefined) return finding("identity", "ok", `${who}, without an end of its own`);
  const end = new Date(expiration).toISOString();
  const remedy = "renew them: aws sso login, or what gave you these credentials";
  if (expiration <= now) return finding("identity", "problem", `${who} expired at ${end}`, remedy);
  const minutes = Math.floor((expiration - now) / 60_000);
  const text = `${who}, until ${end} (${minutes} min)`;
  return expiration - now < SHORT_MS ? finding("identity", "warning", text, remedy) : finding("identity", "ok", text);
}
