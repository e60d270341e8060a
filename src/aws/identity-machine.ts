import { fromHttp, fromInstanceMetadata } from "@aws-sdk/credential-providers";
import type { Environment } from "../config.ts";
import { AppError } from "../errors.ts";
import { markOwn } from "../own-request.ts";
import { withDeadline } from "./deadline.ts";
import { withoutSecrets } from "./errors.ts";
import type { AwsCredentialIdentity } from "./identity.ts";

const CONNECT_TIMEOUT_MS = 1000;
const CONTAINER_DEADLINE_MS = 2000;
/** Shorter than a client's cold wait, so that on a machine that has no such service the first answer says so. */
const INSTANCE_DEADLINE_MS = 700;
const INSTANCE_ABSENT_MS = 60_000;
const HOST_OF_RELATIVE = "http://169.254.170.2";
/** The SDK writes to the console unless it is given a place. */
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** The credentials that the machine gives to what runs on it. */
export interface Machine {
  /** The variable that says where a container's credentials are, if one does. */
  readonly containerVariable: string | undefined;
  /** Throws AppError `identity-failed` or `upstream-unavailable`. */
  readonly container: () => Promise<AwsCredentialIdentity>;
  /** By IMDSv2. Throws AppError `no-identity` with why there are none, within 0.7 s. */
  readonly instance: () => Promise<AwsCredentialIdentity>;
}

/** @param now milliseconds; for a minute a metadata service that did not answer is not asked again */
export function createMachine(env: Environment, now: () => number): Machine {
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  const full = env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  const containerVariable = relative
    ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    : full && "AWS_CONTAINER_CREDENTIALS_FULL_URI";
  let absent: { readonly why: AppError; readonly until: number } | undefined;

  async function container(): Promise<AwsCredentialIdentity> {
    if (!containerVariable) {
      throw new AppError("identity-failed", "no AWS_CONTAINER_CREDENTIALS_* variable says where to ask", {
        hint: "credential_source = EcsContainer works only inside of a task; name a source_profile instead",
      });
    }
    const value = relative || full || "";
    const url = URL.parse(relative ? HOST_OF_RELATIVE + value : value);
    const subject = `${containerVariable} '${withoutSecrets(value)}'`;
    const hint = `correct ${containerVariable} and restart the server, or unset it and set AWS_PROFILE`;
    if (url === null) throw new AppError("identity-failed", `${subject} is no URL`, { hint });
    const tokenFile = env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE ?? "";
    try {
      // Empty values keep the provider from reading the variables of the process.
      const read = fromHttp({
        awsContainerCredentialsRelativeUri: "",
        awsContainerCredentialsFullUri: markOwn(url).href,
        awsContainerAuthorizationTokenFile: tokenFile,
        awsContainerAuthorizationToken: tokenFile === "" ? (env.AWS_CONTAINER_AUTHORIZATION_TOKEN ?? "") : "",
        timeout: CONNECT_TIMEOUT_MS,
        maxRetries: 0,
        logger: SILENT,
      });
      return await withDeadline(read(), CONTAINER_DEADLINE_MS, () => new Error("no answer in time"));
    } catch (error) {
      throw containerFailure(error, subject, hint, tokenFile);
    }
  }

  async function instance(): Promise<AwsCredentialIdentity> {
    if (/^true$/i.test(env.AWS_EC2_METADATA_DISABLED ?? "")) {
      throw new AppError("no-identity", "instance metadata, which AWS_EC2_METADATA_DISABLED turns off");
    }
    if (absent !== undefined && now() < absent.until) throw absent.why;
    const read = fromInstanceMetadata({ timeout: INSTANCE_DEADLINE_MS, maxRetries: 0, logger: SILENT });
    try {
      return await withDeadline(read(), INSTANCE_DEADLINE_MS, () => new Error("no answer in time"));
    } catch (cause) {
      const said = cause instanceof Error ? withoutSecrets(cause.message) : "no answer";
      const why = new AppError("no-identity", `instance metadata (${said})`, { cause });
      absent = { why, until: now() + INSTANCE_ABSENT_MS };
      throw why;
    }
  }

  return { containerVariable: containerVariable || undefined, container, instance };
}

/** What the SDK's provider says, with what the other side said where it is our own refusal or an agent's. */
function containerFailure(error: unknown, subject: string, hint: string, tokenFile: string): AppError {
  const { message, Code, Message, code } = error as { message: string; Code?: string; Message?: string; code?: string };
  const fail = (errorCode: "identity-failed" | "upstream-unavailable", what: string): AppError =>
    new AppError(errorCode, `${subject} ${what}`, { hint, cause: error });
  if (Code === "AskedItself") return fail("identity-failed", "is this server's own address: it was pointed at itself");
  if (/^URL not accepted/.test(message)) {
    return fail(
      "identity-failed",
      "is not accepted: without https it must be loopback, 169.254.170.2 or 169.254.170.23",
    );
  }
  if (code !== undefined && tokenFile !== "") {
    return fail("identity-failed", `needs AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE '${tokenFile}' (${code})`);
  }
  if (Code !== undefined || Message !== undefined || /status: 4/.test(message)) {
    return fail(
      "identity-failed",
      `gave no credentials (${withoutSecrets([message, Code, Message].filter(Boolean).join(" "))})`,
    );
  }
  if (/not of the required format|JSON/i.test(message)) return fail("identity-failed", "answered no credentials");
  return fail("upstream-unavailable", `did not answer (${withoutSecrets(message)})`);
}
