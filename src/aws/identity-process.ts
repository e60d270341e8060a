import { AppError } from "../errors.ts";
import { withDeadline } from "./deadline.ts";
import type { AwsCredentialIdentity } from "./identity.ts";

const DEADLINE_MS = 60_000;

/**
 * Runs `credential_process` by `run`, which is the SDK's and waits for ever. A program that hangs is waited for by
 * whoever comes next, so that there is never a second one beside it.
 *
 * @returns a function of the profile, its command, and what runs it; it throws AppError `identity-failed` after
 *   `deadlineMs`
 */
export function createProcesses(deadlineMs: number = DEADLINE_MS) {
  const running = new Map<string, Promise<AwsCredentialIdentity>>();

  return async (profile: string, command: string, run: () => Promise<AwsCredentialIdentity>) => {
    const key = `${profile}\n${command}`;
    let under = running.get(key);
    if (under === undefined) {
      under = run().finally(() => running.delete(key));
      running.set(key, under);
    }
    return withDeadline(under, deadlineMs, () => {
      const text = `profile '${profile}': its credential_process did not end within ${deadlineMs / 1000} s`;
      return new AppError("identity-failed", text, { hint: "run it by hand; it may not ask for anything" });
    });
  };
}
