import { readFile, stat } from "node:fs/promises";
import { externalDataInterceptor } from "@smithy/core/config";
import type { Environment } from "../config/config.ts";
import { AppError } from "../errors.ts";
import type { IdentityFiles } from "./change-detector.ts";
import { parseIni, type Section, type Sections, toConfigText } from "./ini.ts";
import type { AwsCredentialIdentity } from "./types.ts";

interface Read {
  readonly profiles: Profiles;
  /** The files, for a sentence, each with whether it is missing. */
  readonly looked: string;
  /** Why a file that is there was not read. The profiles lack what is in it. */
  readonly failure: AppError | undefined;
}

interface File {
  readonly path: string;
  /** Undefined if there is no such file. */
  readonly sections?: Sections;
  readonly failure?: AppError;
}

/**
 * Reads the profiles: both files, those of the credentials file over the others. The SDK takes a file that it cannot read
 * for an empty one and knows fewer forms, so it is given what we read, as one config file.
 *
 * @returns with `failure` an AppError `identity-failed`
 */
export async function readProfiles(files: IdentityFiles): Promise<Read> {
  const read = await Promise.all([readIni(files.config, "config"), readIni(files.credentials, "credentials")]);
  const merged = new Map<string, Section>();
  for (const { sections = new Map<string, Section>() } of read) {
    for (const [name, section] of sections) merged.set(name, { ...merged.get(name), ...section });
  }
  externalDataInterceptor.interceptFile(files.config, toConfigText(merged));
  externalDataInterceptor.interceptFile(files.credentials, "");
  const looked = read.map(({ path, sections }) => (sections === undefined ? `${path} (missing)` : path)).join(" and ");
  const failure = read.find((file) => file.failure !== undefined)?.failure;
  return { profiles: Object.assign(Object.create(null), Object.fromEntries(merged)), looked, failure };
}

async function readIni(path: string, kind: "config" | "credentials"): Promise<File> {
  try {
    const facts = await stat(path);
    // /dev/null means no file.
    if (facts.isCharacterDevice()) return { path, sections: new Map() };
    // A read of it could wait for ever, and would find nothing the second time.
    if (facts.isFIFO()) return { path, failure: unreadable(path, "a pipe") };
    return { path, sections: parseIni(await readFile(path), path, kind) };
  } catch (error) {
    if (error instanceof AppError) return { path, failure: error };
    const { code } = error as { code?: string };
    if (code === "ENOENT" || code === "ENOTDIR") return { path };
    return { path, failure: unreadable(path, code ?? "no reason given", error) };
  }
}

function unreadable(path: string, why: string, cause?: unknown): AppError {
  const hint = "make it a file that the server's user may read, or remove it";
  return new AppError("identity-failed", `the AWS file ${path} cannot be read (${why})`, { hint, cause });
}

export type { Section } from "./ini.ts";
/** By name, as in `Sections`. */
export type Profiles = Readonly<Record<string, Section | undefined>>;

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

function choices(profiles: Profiles): string {
  const known = profileNames(profiles);
  return known.length === 0 ? "they name no profile" : `they name: ${known.slice(0, 20).join(", ")}`;
}

interface WantedProfile {
  readonly variable: string;
  readonly name: string;
}

/** The profile that the environment names, if any. As in botocore, AWS_PROFILE comes first. */
export function wantedProfile(env: Environment): WantedProfile | undefined {
  const variable = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].find((name) => env[name]);
  return variable === undefined ? undefined : { variable, name: env[variable] ?? "" };
}

export function unknownProfile({ variable, name }: WantedProfile, looked: string, profiles: Profiles): AppError {
  const text = `${variable} is '${name}', which is not in ${looked}; ${choices(profiles)}`;
  return new AppError("identity-failed", text, {
    hint: `set ${variable} to one of them and restart, or mount the folder .aws into the server's HOME`,
  });
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
