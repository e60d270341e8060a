import { AppError } from "../errors.ts";
import { toAppError, withoutSecrets } from "./errors.ts";

/**
 * Why a profile gave no credentials.
 *
 * @param remedy the next step, if AWS or the profile's own files are what refused
 */
export function profileFailure(error: unknown, profile: string, remedy: string): AppError {
  const action = `profile '${profile}'`;
  if (error instanceof Error && /^(Credentials|Token)ProviderError$/.test(error.name)) {
    const text = `${action} gave no credentials (${withoutSecrets(error.message)})`;
    return new AppError("identity-failed", text, { hint: remedy, cause: error });
  }
  return toAppError(error, { action: `the use of ${action}`, identity: true, remedy });
}
