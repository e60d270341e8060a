import type { IdentityFacts } from "../../aws/types.ts";
import { type Finding, failed, finding } from "./finding.ts";

/** Clients do not use credentials that expire sooner. */
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

/** AWS refuses a signature that is 5 minutes off. */
const REFUSED_MS = 5 * 60_000;
/** More than a machine that sets its clock by the network ever has. */
const NOTED_MS = 30_000;

const REMEDY = "set this machine's clock: sudo timedatectl set-ntp true (in a virtual machine: sudo hwclock --hctosys)";

/**
 * This machine's clock against that of STS.
 *
 * @param askSkewMs how far AWS's clock is ahead, in milliseconds; undefined if it does not say
 */
export async function checkClock(isOffline: boolean, askSkewMs: () => Promise<number | undefined>): Promise<Finding> {
  if (isOffline) return finding("clock", "ok", "not compared with AWS's (offline)");
  let skewMs: number | undefined;
  try {
    skewMs = await askSkewMs();
  } catch (error) {
    return failed("clock", "warning", error);
  }
  if (skewMs === undefined) {
    return finding("clock", "warning", "what answers as STS says no time", "see that STS_ENDPOINT is what you mean");
  }
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  if (seconds <= 1) return finding("clock", "ok", "agrees with that of STS");
  const text = `${seconds} s ${skewMs > 0 ? "behind" : "ahead of"} that of STS`;
  if (Math.abs(skewMs) >= REFUSED_MS) {
    return finding("clock", "problem", `${text}: AWS refuses what is signed more than 5 minutes off`, REMEDY);
  }
  return Math.abs(skewMs) >= NOTED_MS ? finding("clock", "warning", text, REMEDY) : finding("clock", "ok", text);
}
