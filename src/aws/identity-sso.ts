import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromSSO } from "@aws-sdk/credential-providers";
import { externalDataInterceptor } from "@smithy/core/config";
import type { HttpHandler, HttpRequest } from "@smithy/core/protocols";
import type { ClientSettings } from "./client-settings.ts";
import type { AwsCredentialIdentity } from "./identity.ts";
import type { IdentityFiles } from "./identity-files.ts";
import type { Stamps } from "./stamps.ts";

/** The file that `aws sso login` writes. */
type Token = Readonly<Record<string, unknown>> & { readonly accessToken?: unknown };

/** A token that was refreshed, and the access token of the file that it took the place of. */
interface Held {
  readonly from: unknown;
  readonly token: Token;
}

export type SsoProfile = (profile: string, session: string | undefined) => Promise<AwsCredentialIdentity>;

/**
 * Credentials of profiles of SSO. The SDK refreshes a token that ended and rewrites its file; where that cannot be
 * written it forgets what it got, and the refresh token was used up. So the new one is held here until the file changes.
 *
 * @returns a function that rejects with what the SDK throws; a refresh that did not reach AWS rejects with that cause
 */
export function createSso(settings: ClientSettings, stamps: Stamps): (files: IdentityFiles) => SsoProfile {
  const refreshed = new Map<string, Held>();

  return (files) => async (profile, session) => {
    const path = session === undefined ? "" : tokenPath(files, session);
    const file = session === undefined ? undefined : await readToken(path);
    const tokens = externalDataInterceptor.getTokenRecord();
    if (session !== undefined) {
      const held = refreshed.get(session);
      const holds = held !== undefined && file !== undefined && held.from === file.accessToken;
      if (!holds) refreshed.delete(session);
      if (holds) externalDataInterceptor.interceptToken(session, held.token);
      else delete tokens[session];
    }
    const current = session === undefined ? undefined : (refreshed.get(session)?.token ?? file);
    let write: { readonly done: () => void } | undefined;
    const oidc = observe(settings.inner.requestHandler, () => {
      write = stamps.ownWrite(path);
    });
    const clientConfig = { ...settings.inner, requestHandler: oidc.handler };
    try {
      const source = { filepath: files.credentials, configFilepath: files.config };
      return await fromSSO({ ...source, profile, clientConfig })();
    } catch (error) {
      // The SDK calls a refresh that reached nobody a token that expired.
      throw oidc.seen.failure ?? error;
    } finally {
      write?.done();
      if (session !== undefined && oidc.seen.answer !== undefined && file !== undefined) {
        refreshed.set(session, { from: file.accessToken, token: merge(current ?? file, oidc.seen.answer) });
      }
    }
  };
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
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}

interface Seen {
  answer?: Token;
  failure?: unknown;
}

/** A handler that notes what the refresh of a token came to, and tells before the SDK writes it down. */
function observe(inner: HttpHandler, onRefreshed: () => void): { handler: HttpHandler; seen: Seen } {
  const seen: Seen = {};
  const handler: HttpHandler = {
    ...inner,
    async handle(request: HttpRequest, options) {
      const isRefresh = request.method === "POST" && /\/token$/.test(request.path);
      try {
        const answered = await inner.handle(request, options);
        const { statusCode, body } = answered.response;
        if (isRefresh) seen.failure = undefined;
        if (isRefresh && statusCode === 200 && body instanceof Uint8Array) {
          seen.answer = JSON.parse(new TextDecoder().decode(body));
          onRefreshed();
        }
        return answered;
      } catch (error) {
        if (isRefresh) seen.failure = error;
        throw error;
      }
    },
  };
  return { handler, seen };
}
