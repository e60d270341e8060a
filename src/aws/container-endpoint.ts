import { type HttpHandler, HttpRequest } from "@smithy/core/protocols";
import type { Environment } from "../config/config.ts";
import { AppError, type ErrorCode } from "../errors.ts";
import { markOwn } from "../own-request.ts";
import { withoutSecrets } from "./errors.ts";
import { type AwsCredentialIdentity, parseCredentials } from "./types.ts";
import { noAnswerOf } from "./unreachable.ts";
import { readTokenFile } from "./web-identity.ts";

const REQUEST_MS = 1000;
const HOST_OF_RELATIVE = "http://169.254.170.2";
/** The hosts that the SDKs ask without TLS: loopback, and where ECS and EKS have their agents. */
const WITHOUT_TLS = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|169\.254\.170\.2|169\.254\.170\.23|\[fd00:ec2::23\])$/;

/**
 * Credentials of the endpoint that a container's variables name. By our own handler and not the SDK's provider, which
 * takes no authorities and no proxy, and whose verification NODE_TLS_REJECT_UNAUTHORIZED=0 turns off.
 *
 * @param handler is given one GET without user, password and redirects
 * @returns the variable that says where, if one does, and what asks there; that throws AppError `identity-failed`, or
 *   why no answer came
 */
export function createContainer(env: Environment, handler: HttpHandler) {
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  const full = env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  const variable = relative
    ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    : (full && "AWS_CONTAINER_CREDENTIALS_FULL_URI") || undefined;

  async function read(): Promise<AwsCredentialIdentity> {
    if (!variable) {
      throw new AppError("identity-failed", "no AWS_CONTAINER_CREDENTIALS_* variable says where to ask", {
        hint: "credential_source = EcsContainer works only inside of a task; name a source_profile instead",
      });
    }
    const url = URL.parse(relative ? HOST_OF_RELATIVE + relative : (full ?? ""));
    const hint = `correct ${variable} and restart the server, or unset it and set AWS_PROFILE`;
    if (url === null || !/^https?:$/.test(url.protocol)) {
      // Not quoted: `user:password@host` is not a URL of HTTP either.
      throw new AppError("identity-failed", `${variable} is not a URL of http or https`, { hint });
    }
    // Passwords and tokens are in the user and in the query.
    const subject = `${variable} '${relative ? "" : url.origin}${withoutSecrets(url.pathname)}'`;
    const fail: Fail = (code, what, remedy = hint) => new AppError(code, `${subject} ${what}`, { hint: remedy });
    if (url.protocol === "http:" && !WITHOUT_TLS.test(url.hostname)) {
      throw fail(
        "identity-failed",
        "is not accepted: without https it must be loopback, 169.254.170.2 or 169.254.170.23",
      );
    }
    return await ask(handler, markOwn(url), await tokenOf(env, fail), fail);
  }

  return { variable, read };
}

type Fail = (code: ErrorCode, what: string, remedy?: string) => AppError;

async function ask(
  handler: HttpHandler,
  url: URL,
  authorization: string | undefined,
  fail: Fail,
): Promise<AwsCredentialIdentity> {
  const { protocol, hostname, port } = url;
  const request = new HttpRequest({
    protocol,
    hostname,
    ...(port !== "" && { port: Number(port) }),
    // As it stands: the handler would sort a query, and the mark must come last.
    path: url.pathname + url.search,
    headers: { accept: "application/json", ...(authorization !== undefined && { authorization }) },
  });
  const { response } = await handler.handle(request, { requestTimeout: REQUEST_MS }).catch((error: unknown) => {
    if (error instanceof AppError) throw error;
    const why = noAnswerOf(error);
    if (why === undefined || (error as Error).name === "TimeoutError") {
      throw fail("upstream-unavailable", `did not answer (${why ? "no answer in time" : "the request failed"})`);
    }
    throw fail(why.code, why.what, /STS_ENDPOINT/.test(why.hint) ? undefined : why.hint);
  });
  const { statusCode } = response;
  const body = parse(new TextDecoder().decode(response.body as Uint8Array));
  if (statusCode === 200) {
    const set = parseCredentials(body);
    if (set === undefined) throw fail("identity-failed", "answered no credentials");
    return set;
  }
  const status = `Server responded with status: ${statusCode}`;
  if (statusCode < 400 || statusCode >= 500) throw fail("upstream-unavailable", `did not answer (${status})`);
  if (body.Code === "AskedItself") {
    throw fail("identity-failed", "is this server's own address: it was pointed at itself");
  }
  const words = [status, body.Code, body.Message].filter((word) => typeof word === "string" && word !== "");
  throw fail("identity-failed", `gave no credentials (${withoutSecrets(words.join(" "))})`);
}

/** The file wins, and is read anew each time. What would break the header is refused, without being shown. */
async function tokenOf(env: Environment, fail: Fail): Promise<string | undefined> {
  const path = env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
  const variable = path ? "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" : "AWS_CONTAINER_AUTHORIZATION_TOKEN";
  let token = env.AWS_CONTAINER_AUTHORIZATION_TOKEN;
  if (path) {
    token = await readTokenFile(path).catch((error: { code?: string; message: string }) => {
      throw fail("identity-failed", `needs ${variable} '${path}' (${error.code ?? error.message})`);
    });
  }
  if (!token) return undefined;
  // An editor ends the file with a line feed. The SDKs refuse a carriage return before it.
  const value = token.replace(/(?<!\r)\n$/, "");
  if (/[^\t\x20-\x7e]/.test(value)) {
    throw fail("identity-failed", `needs a token of one line of ASCII in ${variable}`, `correct ${variable}`);
  }
  return value;
}

function parse(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
