import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromSSO } from "@aws-sdk/credential-providers";
import { externalDataInterceptor } from "@smithy/core/config";
import type { HttpHandler, HttpRequest, HttpResponse } from "@smithy/core/protocols";
import type { IdentityFiles } from "./change-detector.ts";
import type { ClientSettings } from "./clients.ts";
import { sdkName } from "./ini.ts";
import type { AwsCredentialIdentity } from "./types.ts";

/** The file that `aws sso login` writes. */
type Token = Readonly<Record<string, unknown>> & { readonly accessToken?: unknown };

/** A token that was refreshed, and the access token of the file that it took the place of. */
interface Held {
  readonly from: unknown;
  readonly token: Token;
}

/** A refresh that came to nothing for a reason that passes, and the access token of the file that it was for. */
interface Unrefreshed {
  readonly from: unknown;
  readonly failure: unknown;
}

export type SsoProfile = (profile: string, session: string | undefined) => Promise<AwsCredentialIdentity>;

/**
 * Credentials of profiles of SSO. The SDK refreshes a token that ended and rewrites its file; if that cannot be
 * written it forgets what it got, and the refresh token was used up. So the new one is held here until the file changes.
 *
 * @returns a function that rejects with what the SDK throws, or with why AWS could not be asked: the SDK calls a refresh
 *   that failed a login that has ended, also for the 30 s in which it does not try again
 */
export function createSso(settings: ClientSettings): (files: IdentityFiles) => SsoProfile {
  const refreshed = new Map<string, Held>();
  const unrefreshed = new Map<string, Unrefreshed>();

  return (files) => async (profile, session) => {
    const file = session === undefined ? undefined : await readToken(tokenPath(files, session));
    const tokens = externalDataInterceptor.getTokenRecord();
    if (session !== undefined) {
      const held = refreshed.get(session);
      const holds = held !== undefined && file !== undefined && held.from === file.accessToken;
      if (!holds) refreshed.delete(session);
      const id = sdkName(session);
      const token = holds ? held.token : id === session ? undefined : file;
      if (token !== undefined) externalDataInterceptor.interceptToken(id, token);
      else delete tokens[id];
    }
    const current = session === undefined ? undefined : (refreshed.get(session)?.token ?? file);
    let last: Outcome | undefined;
    let refresh: Outcome | undefined;
    let answer: Token | undefined;
    const requestHandler = watchedHandler(settings.inner.requestHandler, (outcome) => {
      last = outcome;
      if (!isRefresh(outcome)) return;
      refresh = outcome;
      answer = tokenOf(outcome);
    });
    try {
      const source = { filepath: files.credentials, configFilepath: files.config };
      return await fromSSO({
        ...source,
        profile: sdkName(profile),
        clientConfig: { ...settings.inner, requestHandler },
      })();
    } catch (error) {
      const before = session === undefined ? undefined : unrefreshed.get(session);
      const kept = last === undefined && before?.from === file?.accessToken ? before?.failure : undefined;
      throw last?.failure ?? kept ?? error;
    } finally {
      if (session !== undefined && file !== undefined) {
        if (answer !== undefined)
          refreshed.set(session, { from: file.accessToken, token: merge(current ?? file, answer) });
        if (refresh !== undefined) unrefreshed.set(session, { from: file.accessToken, failure: refresh.failure });
      }
    }
  };
}

function isRefresh({ request }: Outcome): boolean {
  return request.method === "POST" && /\/token$/.test(request.path);
}

function tokenOf({ response }: Outcome): Token | undefined {
  const { statusCode, body } = response ?? {};
  if (statusCode !== 200 || !(body instanceof Uint8Array)) return undefined;
  return parse(new TextDecoder().decode(body));
}

function merge(token: Token, answer: Token): Token {
  const { accessToken, expiresIn, refreshToken } = answer;
  const expiresAt = new Date(Date.now() + Number(expiresIn) * 1000).toISOString();
  return { ...token, accessToken, expiresAt, ...(refreshToken !== undefined && { refreshToken }) };
}

function tokenPath(files: IdentityFiles, session: string): string {
  return join(files.ssoCache, `${new Bun.CryptoHasher("sha1").update(session).digest("hex")}.json`);
}

async function readToken(path: string): Promise<Token | undefined> {
  return parse(await readFile(path, "utf8").catch(() => ""));
}

/** What is wrong with a text that is none is for the SDK to say. */
function parse(text: string): Token | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What one request came to. */
export interface Outcome {
  readonly request: HttpRequest;
  readonly response?: HttpResponse;
  /** Why there is no verdict: no answer, not AWS's answer, throttling or a failure of AWS. */
  readonly failure: unknown;
}

/**
 * A handler that reports the outcome of each request. The SDK's providers keep only the text of a failure, or call
 * it a login that has ended.
 */
export function watchedHandler(inner: HttpHandler, tell: (outcome: Outcome) => void): HttpHandler {
  return {
    ...inner,
    async handle(request: HttpRequest, options) {
      const { response } = await inner.handle(request, options).catch((failure: unknown) => {
        tell({ request, failure });
        throw failure;
      });
      tell({ request, response, failure: passing(response) });
      return { response };
    },
  };
}

/** In the shape of the SDK's own errors. */
function passing({ statusCode, headers, body }: HttpResponse): Error | undefined {
  const code = /^\w+/.exec(headers["x-amzn-errortype"] ?? "")?.[0] ?? "InternalFailure";
  const isThrottled = /^(Throttl|TooManyRequests|SlowDown)/.test(code);
  if (isThrottled || statusCode === 429 || statusCode >= 500) {
    const name = isThrottled || statusCode !== 429 ? code : "TooManyRequestsException";
    return Object.assign(new Error(name), { name, $metadata: { httpStatusCode: statusCode } });
  }
  return isJson(body, statusCode) ? undefined : new SyntaxError("no JSON");
}

/** A refusal may have no body. */
function isJson(body: unknown, statusCode: number): boolean {
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : "";
  if (text === "" && statusCode >= 400) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
