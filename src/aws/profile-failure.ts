import { AppError } from "../errors.ts";
import { toAppError, withoutSecrets } from "./errors.ts";

/**
 * Why a profile gave no credentials.
 *
 * @param remedy the next step, if AWS or the profile's own files are what refused
 */
export function profileFailure(error: unknown, profile: string, remedy: string): AppError {
  const action = `profile '${profile}'`;
  // The SDK wraps what its client for SSO threw in an error that has only the text.
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(inner instanceof Error)) return toAppError(inner, { action, identity: true, remedy });
  if (/^Command failed/.test(inner.message)) {
    // The first line is the command as configured, and people put passwords there.
    const said = withoutSecrets(inner.message.split("\n").slice(1).join(" ").trim());
    const text = `${action}: its credential_process failed${said === "" ? "" : ` (${said})`}`;
    return new AppError("identity-failed", text, { hint: remedy, cause: error });
  }
  if (/ENOENT.*\/bin\/sh/.test(inner.message)) {
    return new AppError("identity-failed", `${action}: its credential_process needs /bin/sh, which is not here`, {
      hint: `run the server outside of its image, or give it what this prints as its environment: aws configure export-credentials --profile ${profile} --format env-no-export`,
      cause: error,
    });
  }
  if (inner.name === "CredentialsProviderError" || inner.name === "TokenProviderError") {
    const text = `${action} gave no credentials (${withoutSecrets(inner.message)})`;
    const unreachable = /ECONNREFUSED|ENOTFOUND|Unable to connect|timed out|socket/i.test(inner.message);
    return new AppError(unreachable ? "upstream-unavailable" : "identity-failed", text, { hint: remedy, cause: error });
  }
  return toAppError(inner, { action: `the use of ${action}`, identity: true, remedy });
}
