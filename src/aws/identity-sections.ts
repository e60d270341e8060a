import type { parseKnownFiles } from "@smithy/core/config";
import type { AwsCredentialIdentity } from "./types.ts";

export type Profiles = Awaited<ReturnType<typeof parseKnownFiles>>;
export type Section = NonNullable<Profiles[string]>;

/** The keys of a section, if it has any. */
export function keysOf(section: Section): AwsCredentialIdentity | undefined {
  const {
    aws_access_key_id: accessKeyId,
    aws_secret_access_key: secretAccessKey,
    aws_session_token: sessionToken,
  } = section;
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

export function isSso(section: Section | undefined): boolean {
  return (
    section?.sso_session !== undefined || section?.sso_start_url !== undefined || section?.sso_account_id !== undefined
  );
}

/** The SDK lists the other sections of the file among the profiles. */
export function profileNames(profiles: Profiles): string[] {
  return Object.keys(profiles).filter((name) => !/^(sso-session|services)\./.test(name));
}

const SETTING =
  /^(region|output|cli_\w+|retry_mode|max_attempts|ca_bundle|defaults_mode|services|endpoint_url|sts_regional_endpoints|use_\w+|ec2_metadata_\w+|s3|parameter_validation)$/;

/**
 * Whether a section says nothing of an identity, as the `[default]` of many who only set a region. One key that is not
 * known is enough to say no: it may be a mistyped one.
 */
export function hasOnlySettings(section: Section): boolean {
  return Object.keys(section).every((key) => SETTING.test(key.split(".", 1)[0] ?? key));
}

/** The section where a chain of `source_profile` ends. */
export function endOfChain(profiles: Profiles, name: string): { name: string; section: Section | undefined } {
  const seen = new Set([name]);
  let end = name;
  for (;;) {
    const next = profiles[end]?.role_arn ? profiles[end]?.source_profile : undefined;
    if (!next || seen.has(next)) return { name: end, section: profiles[end] };
    seen.add(next);
    end = next;
  }
}

/** What to run when AWS does not accept what a profile gave: for a chain, that of its end. */
export function profileRemedy(profiles: Profiles, name: string): string {
  const end = endOfChain(profiles, name);
  if (isSso(end.section)) return `run: aws sso login --profile ${end.name}`;
  if (end.section?.login_session) return `run: aws login --profile ${end.name}`;
  if (end.section?.credential_process) return `run the credential_process of profile '${end.name}' by hand`;
  return `check the keys and roles of profile '${name}' with: aws sts get-caller-identity --profile ${name}`;
}
