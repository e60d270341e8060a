import { getDefaultRoleAssumer } from "@aws-sdk/client-sts";
import { fromIni } from "@aws-sdk/credential-providers";
import { AppError } from "../errors.ts";
import type { IdentityFiles } from "./change-detector.ts";
import type { ClientSettings } from "./clients.ts";
import type { createProcesses } from "./credential-process.ts";
import { toAppError, withoutSecrets } from "./errors.ts";
import { sdkName } from "./ini.ts";
import type { Machine } from "./instance.ts";
import { isSso, keysOf, type Profiles, profileNames, profileRemedy, type Section } from "./profiles.ts";
import { type Outcome, type SsoProfile, watchedHandler } from "./sso.ts";
import type { AwsCredentialIdentity } from "./types.ts";
import type { WebIdentity } from "./web-identity.ts";

interface ProfileSources {
  readonly files: IdentityFiles;
  readonly profiles: Profiles;
  readonly settings: ClientSettings;
  /** The region of STS for the roles of the chain: that of the profile which was asked for. */
  readonly region: string | undefined;
  readonly sso: SsoProfile;
  readonly container: Machine["container"];
  /** By the settings of the profile which was asked for. */
  readonly instance: () => Promise<AwsCredentialIdentity>;
  readonly webIdentity: WebIdentity;
  readonly processes: ReturnType<typeof createProcesses>;
  /** The keys of the environment, for `credential_source = Environment`. */
  readonly environmentKeys: AwsCredentialIdentity | undefined;
}

const SESSION_NAME = "ecs-local-endpoints";
const DURATION_S = { min: 900, max: 43_200 };

/**
 * Credentials of a profile, by the rules of the AWS command line. The roles of a chain are walked here and not in the
 * SDK: it reads the process for `credential_source`, and takes every hop after the first with the first one's keys.
 *
 * @param via the profiles that led here by `source_profile`
 * @throws AppError `identity-failed` or `upstream-unavailable`, which names the profile of the chain that failed
 */
export async function profileCredentials(
  sources: ProfileSources,
  name: string,
  via: readonly string[] = [],
): Promise<AwsCredentialIdentity> {
  const { profiles } = sources;
  const section = profiles[name] ?? {};
  const keys = keysOf(section);
  // A role may name its own profile as the source of the keys.
  if (section.role_arn && !(via.length > 0 && keys)) {
    if (section.source_profile || section.credential_source) return assumeRole(sources, name, section, via);
    if (section.web_identity_token_file) return webIdentity(sources, name, section);
    throw bad(
      name,
      "has role_arn without source_profile, credential_source or web_identity_token_file",
      "add one of them",
    );
  }
  if (keys) return keys;
  try {
    if (isSso(section)) return await sso(sources, name, section);
    if (section.credential_process) return await sources.processes(name, section.credential_process);
    return await otherCredentials(sources, name);
  } catch (error) {
    throw profileFailure(error, name, profileRemedy(profiles, name));
  }
}

async function assumeRole(
  sources: ProfileSources,
  name: string,
  section: Section,
  via: readonly string[],
): Promise<AwsCredentialIdentity> {
  const { source_profile: source, credential_source: origin, mfa_serial: mfa } = section;
  if (source && origin) throw bad(name, "has both source_profile and credential_source", "remove one of them");
  if (mfa) throw wantsCode(name, mfa, source);
  if (source && !sources.profiles[source]) throw missingSource(sources, name, source);
  const given = section.duration_seconds ?? "3600";
  const duration = Number(given);
  if (!Number.isInteger(duration) || duration < DURATION_S.min || duration > DURATION_S.max) {
    throw bad(
      name,
      `has duration_seconds = ${given}`,
      `give whole seconds from ${DURATION_S.min} to ${DURATION_S.max}`,
    );
  }
  if (source && via.includes(source)) {
    throw bad(name, `closes a circle of source_profile: ${[...via, source].join(", ")}`, "give one of them keys");
  }
  const keys = source
    ? await profileCredentials(sources, source, [...via, source])
    : await namedSource(sources, name, origin ?? "");
  try {
    return await getDefaultRoleAssumer(sources.settings.sts(sources.region))(keys, {
      RoleArn: section.role_arn,
      RoleSessionName: section.role_session_name || SESSION_NAME,
      ExternalId: section.external_id,
      DurationSeconds: duration,
    });
  } catch (error) {
    const action = `sts:AssumeRole of ${section.role_arn} for profile '${name}'`;
    throw toAppError(error, { action, identity: true, remedy: profileRemedy(sources.profiles, name) });
  }
}

function namedSource(sources: ProfileSources, name: string, origin: string): Promise<AwsCredentialIdentity> {
  if (origin === "EcsContainer") return sources.container();
  if (origin === "Ec2InstanceMetadata") {
    return sources.instance().catch((why: AppError) => {
      throw bad(
        name,
        `has credential_source = ${origin}, and there is none: ${why.publicMessage}`,
        "name a source_profile",
      );
    });
  }
  if (origin !== "Environment") {
    throw bad(
      name,
      `has credential_source = ${origin}`,
      "give Environment, EcsContainer or Ec2InstanceMetadata, or a source_profile",
    );
  }
  if (sources.environmentKeys !== undefined) return Promise.resolve(sources.environmentKeys);
  throw bad(
    name,
    "has credential_source = Environment, which has no keys",
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY and restart the server",
  );
}

function sso(sources: ProfileSources, name: string, section: Section): Promise<AwsCredentialIdentity> {
  const { sso_session: session } = section;
  const lacking = ["sso_account_id", "sso_role_name"].filter((key) => !section[key]);
  if (lacking.length > 0) throw bad(name, `lacks ${lacking.join(" and ")}`, `run: aws configure sso --profile ${name}`);
  if (session !== undefined && sources.profiles[`sso-session.${session}`] === undefined) {
    const what = `has sso_session = ${session}, which ${sources.files.config} does not have`;
    throw bad(name, what, "run: aws configure sso-session");
  }
  return sources.sso(name, session);
}

async function webIdentity(sources: ProfileSources, name: string, section: Section): Promise<AwsCredentialIdentity> {
  const { web_identity_token_file: tokenFile = "", role_arn: roleArn = "", role_session_name } = section;
  const sessionName = role_session_name || SESSION_NAME;
  try {
    return await sources.webIdentity({ tokenFile, roleArn, sessionName, region: sources.region });
  } catch (error) {
    const remedy = `check web_identity_token_file and role_arn of profile '${name}'`;
    throw toAppError(error, { action: `the web identity of profile '${name}'`, identity: true, remedy });
  }
}

/**
 * Why a profile gave no credentials.
 *
 * @param remedy the next step, if AWS or the profile's own files are what refused
 */
function profileFailure(error: unknown, profile: string, remedy: string): AppError {
  const action = `profile '${profile}'`;
  if (error instanceof Error && /^(Credentials|Token)ProviderError$/.test(error.name)) {
    const text = `${action} gave no credentials (${withoutSecrets(error.message)})`;
    return new AppError("identity-failed", text, { hint: remedy, cause: error });
  }
  return toAppError(error, { action: `the use of ${action}`, identity: true, remedy });
}

/** What is wrong with a profile as it is written. */
function bad(name: string, what: string, hint: string): AppError {
  return new AppError("identity-failed", `profile '${name}' ${what}`, { hint });
}

function missingSource(
  { files, profiles }: { readonly files: IdentityFiles; readonly profiles: Profiles },
  name: string,
  source: string,
): AppError {
  const known = profileNames(profiles).slice(0, 20).join(", ");
  const what = `has source_profile = ${source}, which is not in ${files.config} and ${files.credentials} (they name: ${known})`;
  return bad(name, what, "name one of them");
}

function wantsCode(name: string, serial: string, source: string | undefined): AppError {
  const command = `aws sts get-session-token --serial-number ${serial} --token-code <code> --profile ${source ?? "<source>"}`;
  return bad(
    name,
    `needs an MFA code (mfa_serial = ${serial}), which a server cannot ask for`,
    `either run: ${command}, keep its answer as a profile of its own and make that the source_profile here instead of mfa_serial; or set AWS_PROFILE to a profile without MFA, such as one of SSO`,
  );
}

/**
 * Credentials of a profile that is left to the SDK, such as one of `aws login`.
 *
 * @returns rejects with the SDK's error, or with the reason why AWS could not be reached
 */
async function otherCredentials(
  { files, settings }: { readonly files: IdentityFiles; readonly settings: ClientSettings },
  name: string,
): Promise<AwsCredentialIdentity> {
  let last: Outcome | undefined;
  const requestHandler = watchedHandler(settings.inner.requestHandler, (outcome) => {
    last = outcome;
  });
  const clientConfig = { ...settings.inner, requestHandler };
  const source = { filepath: files.credentials, configFilepath: files.config };
  try {
    return await fromIni({ ...source, profile: sdkName(name), clientConfig, parentClientConfig: clientConfig })();
  } catch (error) {
    throw last?.failure ?? error;
  }
}
