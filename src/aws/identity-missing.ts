import { AppError } from "../errors.ts";
import { type Profiles, profileNames } from "./identity-sections.ts";

function choices(profiles: Profiles): string {
  const known = profileNames(profiles);
  return known.length === 0 ? "they name no profile" : `they name: ${known.slice(0, 20).join(", ")}`;
}

/** For AWS_PROFILE that names no profile. */
export function unknownProfile(wanted: string, looked: string, profiles: Profiles): AppError {
  return new AppError(
    "identity-failed",
    `AWS_PROFILE is '${wanted}', which is not in ${looked}; ${choices(profiles)}`,
    {
      hint: "set AWS_PROFILE to one of them and restart, or mount the folder .aws into the server's HOME",
    },
  );
}

/** For nothing at all. `cause` is why the instance gave none. */
export function noIdentity(looked: string, profiles: Profiles, cause: unknown): AppError {
  const instance = cause instanceof AppError ? cause.publicMessage : "instance metadata";
  return new AppError(
    "no-identity",
    `no AWS identity: tried AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, AWS_WEB_IDENTITY_TOKEN_FILE, profile 'default' in ${looked} (${choices(profiles)}), AWS_CONTAINER_CREDENTIALS_FULL_URI and ${instance}`,
    {
      hint: "set AWS_PROFILE to a profile that works (aws configure, or aws sso login --profile <name>), or use --offline",
      cause,
    },
  );
}
