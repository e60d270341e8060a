import { type HttpHandler, HttpRequest, type HttpResponse } from "@smithy/core/protocols";
import type { Environment } from "../config/config.ts";
import { AppError } from "../errors.ts";
import { createContainer } from "./container-endpoint.ts";
import { withoutSecrets } from "./errors.ts";
import type { Section } from "./profiles.ts";
import { type AwsCredentialIdentity, parseCredentials } from "./types.ts";
import { noAnswerOf } from "./unreachable.ts";

const USUAL = { ipv4: "http://169.254.169.254", ipv6: "http://[fd00:ec2::254]" };
const SESSION_PATH = "/latest/api/token";
const ROLES_PATH = "/latest/meta-data/iam/security-credentials/";
const SESSION_SECONDS = "21600";

/** The instance metadata service. */
interface Service {
  readonly endpoint: string;
  /** Whether it may be asked without a session if it gives none. */
  readonly hasV1: boolean;
}

/** By the rules of the SDK: the environment, then the profile. */
function instanceService(env: Environment, section: Section | undefined): Service {
  const mode = env.AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE || section?.ec2_metadata_service_endpoint_mode;
  const usual = /^ipv6$/i.test(mode ?? "") ? USUAL.ipv6 : USUAL.ipv4;
  const endpoint = env.AWS_EC2_METADATA_SERVICE_ENDPOINT || section?.ec2_metadata_service_endpoint || usual;
  const isV1Disabled = env.AWS_EC2_METADATA_V1_DISABLED ?? section?.ec2_metadata_v1_disabled;
  return { endpoint, hasV1: !isV1Disabled || isV1Disabled === "false" };
}

/**
 * Credentials of the instance's role. By our own handler, because requests of the SDK's provider cannot be aborted, and it
 * invents an expiration for expired credentials.
 *
 * @param abortSignal ends it, with the connection
 * @returns rejects with what the handler throws, or an Error with what is wrong, in few words
 */
async function askInstance(
  handler: HttpHandler,
  { endpoint, hasV1 }: Service,
  abortSignal: AbortSignal,
): Promise<AwsCredentialIdentity> {
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new Error("its address is not a URL of http or https");
  const { protocol, hostname } = url;
  const at = { protocol, hostname, ...(url.port !== "" && { port: Number(url.port) }) };

  async function ask(path: string, headers: Record<string, string>, method = "GET"): Promise<HttpResponse> {
    const request = new HttpRequest({ ...at, method, path, headers });
    return (await handler.handle(request, { abortSignal })).response;
  }
  const session = await ask(SESSION_PATH, { "x-aws-ec2-metadata-token-ttl-seconds": SESSION_SECONDS }, "PUT");
  const isV1 = hasV1 && session.statusCode !== 200 && session.statusCode !== 400;
  const headers: Record<string, string> = isV1 ? {} : { "x-aws-ec2-metadata-token": text(session) };
  const role = text(await ask(ROLES_PATH, headers)).trim();
  if (!/^[\w+=,.@-]+$/.test(role)) throw new Error("it names no role");
  const body = parse(text(await ask(ROLES_PATH + role, headers)));
  const set = parseCredentials(body);
  if (set !== undefined) return set;
  const isRefusal = typeof body.Code === "string" && body.Code !== "Success";
  throw new Error(isRefusal ? `it answered ${body.Code}` : "it answered no credentials");
}

function text({ statusCode, body }: HttpResponse): string {
  if (statusCode !== 200) throw new Error(`it answered with status ${statusCode}`);
  return new TextDecoder().decode(body as Uint8Array);
}

function parse(json: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(json));
  } catch {
    return {};
  }
}

/** Shorter than a client's cold wait, so that on a machine that has no such service the first answer says so. */
const INSTANCE_DEADLINE_MS = 700;
const INSTANCE_ABSENT_MS = 60_000;

/** The credentials that the machine gives to what runs on it. */
export interface Machine {
  /** The variable that says where a container's credentials are, if one does. */
  readonly containerVariable: string | undefined;
  /** Throws AppError `identity-failed`, or why no answer came. */
  readonly container: () => Promise<AwsCredentialIdentity>;
  /** Throws AppError `no-identity` with why there are none, within 0.7 s. The profile's section may say where to ask. */
  readonly instance: (section: Section | undefined) => Promise<AwsCredentialIdentity>;
}

/** A metadata service that did not answer is not asked again for a minute. */
export function createMachine(env: Environment, now: () => number, handler: HttpHandler): Machine {
  const container = createContainer(env, handler);
  let absent: { readonly why: AppError; readonly untilMs: number } | undefined;

  async function instance(section: Section | undefined): Promise<AwsCredentialIdentity> {
    if (/^true$/i.test(env.AWS_EC2_METADATA_DISABLED ?? "")) {
      throw new AppError("no-identity", "instance metadata, which AWS_EC2_METADATA_DISABLED turns off");
    }
    if (absent !== undefined && now() < absent.untilMs) throw absent.why;
    try {
      return await askInstance(handler, instanceService(env, section), AbortSignal.timeout(INSTANCE_DEADLINE_MS));
    } catch (cause) {
      const reason = noAnswerOf(cause)?.what ?? (cause instanceof Error ? withoutSecrets(cause.message) : "no answer");
      const why = new AppError("no-identity", `instance metadata (${reason})`, { cause });
      absent = { why, untilMs: now() + INSTANCE_ABSENT_MS };
      throw why;
    }
  }

  return { containerVariable: container.variable, container: container.read, instance };
}
