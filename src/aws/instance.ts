import { type HttpHandler, HttpRequest, type HttpResponse } from "@smithy/core/protocols";
import type { Environment } from "../config/config.ts";
import type { Section } from "./identity-sections.ts";
import type { AwsCredentialIdentity } from "./types.ts";
import { setOf } from "./types.ts";

const USUAL = { ipv4: "http://169.254.169.254", ipv6: "http://[fd00:ec2::254]" };
const SESSION_PATH = "/latest/api/token";
const ROLES_PATH = "/latest/meta-data/iam/security-credentials/";
const SESSION_SECONDS = "21600";

/** The instance metadata service. */
interface Service {
  readonly endpoint: string;
  /** Whether it may be asked without a session where it gives none. */
  readonly hasV1: boolean;
}

/** By the rules of the SDK: the environment, then the profile. */
export function instanceService(env: Environment, section: Section | undefined): Service {
  const mode = env.AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE || section?.ec2_metadata_service_endpoint_mode;
  const usual = /^ipv6$/i.test(mode ?? "") ? USUAL.ipv6 : USUAL.ipv4;
  const endpoint = env.AWS_EC2_METADATA_SERVICE_ENDPOINT || section?.ec2_metadata_service_endpoint || usual;
  const isV1Disabled = env.AWS_EC2_METADATA_V1_DISABLED ?? section?.ec2_metadata_v1_disabled;
  return { endpoint, hasV1: !isV1Disabled || isV1Disabled === "false" };
}

/**
 * Credentials of the instance's role. By our own handler and not the SDK's provider, whose requests nobody can end, and
 * which makes up an end for a set that has expired.
 *
 * @param abortSignal ends it, with the connection
 * @returns rejects with what the handler throws, or an Error with what is wrong, in few words
 */
export async function askInstance(
  handler: HttpHandler,
  { endpoint, hasV1 }: Service,
  abortSignal: AbortSignal,
): Promise<AwsCredentialIdentity> {
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new Error("its address is no URL of http or https");
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
  const set = setOf(body);
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
