import { type Finding, failed, finding } from "./finding.ts";

/** AWS refuses a signature that is 5 minutes off. */
const REFUSED_MS = 5 * 60_000;
/** More than a machine that sets its clock by the network ever has. */
const NOTED_MS = 30_000;

const REMEDY = "set this machine's clock: sudo timedatectl set-ntp true (in a virtual machine: sudo hwclock --hctosys)";

/**
 * This machine's clock against that of STS.
 *
 * @param askSkewMs how far AWS's clock is ahead, in milliseconds; undefined where it does not say
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
