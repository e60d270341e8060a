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
  if (inner.name === "CredentialsProviderError" || inner.name === "TokenProviderError") {
    const text = `${action} gave no credentials (${withoutSecrets(inner.message)})`;
    // Of a file that is no JSON the SDK says more than the kind: this is an answer.
    const isOfTheWay = /ECONNREFUSED|ENOTFOUND|Unable to connect|timed out|socket|had an answer|^SyntaxError/i;
    if (!isOfTheWay.test(inner.message)) return new AppError("identity-failed", text, { hint: remedy, cause: error });
    const hint = "the login may still be good: retry once that is reached";
    return new AppError("upstream-unavailable", text, { hint, cause: error });
  }
  return toAppError(inner, { action: `the use of ${action}`, identity: true, remedy });
}
