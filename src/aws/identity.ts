import { getDefaultRoleAssumer, getDefaultRoleAssumerWithWebIdentity } from "@aws-sdk/client-sts";
import { fromIni, fromTokenFile } from "@aws-sdk/credential-providers";
import { parseKnownFiles } from "@smithy/core/config";
import type { Environment } from "../config.ts";
import { AppError } from "../errors.ts";
import type { ClientSettings } from "./client-settings.ts";
import { toAppError } from "./errors.ts";
import { identityFiles } from "./identity-files.ts";
import { profileFailure } from "./profile-failure.ts";

type AwsCredentialIdentity = Awaited<ReturnType<ReturnType<typeof fromIni>>>;
type IniSection = Awaited<ReturnType<typeof parseKnownFiles>>[string];

/** The credentials that the server itself was given. */
export interface Identity {
  readonly credentials: AwsCredentialIdentity;
  /** Where they come from, for a sentence: `profile 'dev'`. */
  readonly origin: string;
  /** What to do when AWS does not accept them. */
  readonly remedy: string;
  /** The profile's region, if it names one. */
  readonly region: string | undefined;
}

/**
 * Finds the identity: keys of the environment, web identity of the environment, the profile. The order is ours and
 * the first that is configured is the only one: the SDK's default chain would turn a mistyped profile into somebody
 * else's credentials.
 *
 * @throws AppError `no-identity` when none is configured, `identity-failed` or `upstream-unavailable` when one failed
 */
export async function resolveIdentity(env: Environment, settings: ClientSettings): Promise<Identity> {
  const files = identityFiles(env);
  const source = { filepath: files.credentials, configFilepath: files.config, ignoreCache: true };
  const profiles = await parseKnownFiles(source);
  const profile = env.AWS_PROFILE || "default";
  const region = profiles[profile]?.region;
  const sts = settings.sts(region);

  const keys = keysOf(env);
  if (keys !== undefined) {
    const remedy = "renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN and restart the server";
    return { credentials: keys, origin: "the keys of the environment", remedy, region };
  }

  const webIdentityTokenFile = env.AWS_WEB_IDENTITY_TOKEN_FILE;
  if (webIdentityTokenFile) {
    const origin = "the web identity of the environment";
    const remedy = "check AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN";
    const roleArn = env.AWS_ROLE_ARN;
    const roleSessionName = env.AWS_ROLE_SESSION_NAME;
    const roleAssumerWithWebIdentity = getDefaultRoleAssumerWithWebIdentity(sts);
    try {
      const read = fromTokenFile({ webIdentityTokenFile, roleArn, roleSessionName, roleAssumerWithWebIdentity });
      return { credentials: await read(), origin, remedy, region };
    } catch (error) {
      throw toAppError(error, { action: `the use of ${origin}`, identity: true, remedy });
    }
  }

  const section = profiles[profile];
  if (section === undefined) throw noProfile(env, files, Object.keys(profiles));
  try {
    const read = fromIni({
      ...source,
      profile,
      roleAssumer: getDefaultRoleAssumer(sts),
      roleAssumerWithWebIdentity: getDefaultRoleAssumerWithWebIdentity(sts),
      clientConfig: settings.inner,
      parentClientConfig: settings.inner,
    });
    const credentials = await read();
    return { credentials, origin: `profile '${profile}'`, remedy: remedyOf(profile, section), region };
  } catch (error) {
    throw profileFailure(error, profile, remedyOf(profile, section));
  }
}

function keysOf(env: Environment): AwsCredentialIdentity | undefined {
  const accessKeyId = env.AWS_ACCESS_KEY_ID;
  const secretAccessKey = env.AWS_SECRET_ACCESS_KEY;
  if (!accessKeyId || !secretAccessKey) return undefined;
  const expiration = new Date(env.AWS_CREDENTIAL_EXPIRATION || Number.NaN);
  return {
    accessKeyId,
    secretAccessKey,
    ...(env.AWS_SESSION_TOKEN && { sessionToken: env.AWS_SESSION_TOKEN }),
    ...(!Number.isNaN(expiration.getTime()) && { expiration }),
  };
}

function remedyOf(profile: string, section: IniSection): string {
  if (section.sso_session || section.sso_start_url) return `run: aws sso login --profile ${profile}`;
  if (section.credential_process) return `check the credential_process of profile '${profile}'`;
  return `check the keys and roles of profile '${profile}' with: aws sts get-caller-identity --profile ${profile}`;
}

function noProfile(env: Environment, files: { config: string; credentials: string }, known: string[]): AppError {
  const looked = `${files.config} and ${files.credentials}`;
  const wanted = env.AWS_PROFILE;
  const choices = known.length === 0 ? "they name no profile" : `they name: ${known.slice(0, 20).join(", ")}`;
  if (wanted) {
    return new AppError("identity-failed", `AWS_PROFILE is '${wanted}', which is not in ${looked} (${choices})`, {
      hint: "set AWS_PROFILE to one of them and restart, or mount the folder .aws into the server's HOME",
    });
  }
  return new AppError(
    "no-identity",
    `no AWS identity: tried AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, AWS_WEB_IDENTITY_TOKEN_FILE, and profile 'default' in ${looked} (${choices})`,
    {
      hint: "set AWS_PROFILE to a profile that works (aws configure, or aws sso login --profile <name>), or use --offline",
    },
  );
}
