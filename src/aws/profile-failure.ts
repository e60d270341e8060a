import { AppError } from "../errors.ts";
import { toAppError, withoutSecrets } from "./errors.ts";
import type { IdentityFiles } from "./identity-files.ts";
import { type Profiles, profileNames } from "./identity-sections.ts";

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

/** What is wrong with a profile as it is written. */
export function bad(name: string, what: string, hint: string): AppError {
  return new AppError("identity-failed", `profile '${name}' ${what}`, { hint });
}

export function missingSource(
  { files, profiles }: { readonly files: IdentityFiles; readonly profiles: Profiles },
  name: string,
  source: string,
): AppError {
  const known = profileNames(profiles).slice(0, 20).join(", ");
  const what = `has source_profile = ${source}, which is not in ${files.config} and ${files.credentials} (they name: ${known})`;
  return bad(name, what, "name one of them");
}

export function wantsCode(name: string, serial: string, source: string | undefined): AppError {
  const command = `aws sts get-session-token --serial-number ${serial} --token-code <code> --profile ${source ?? "<source>"}`;
  return bad(
    name,
    `wants an MFA code (mfa_serial = ${serial}), which a server cannot ask for`,
    `either run: ${command}, keep its answer as a profile of its own and make that the source_profile here instead of mfa_serial; or set AWS_PROFILE to a profile without MFA, such as one of SSO`,
  );
}
