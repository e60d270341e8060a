import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HttpRequest } from "@smithy/core/protocols";
import { toAppError } from "../../src/aws/errors.ts";
import { createHttpHandler } from "../../src/aws/http-handler.ts";
import { toResponse } from "../../src/routes/http-error.ts";
import { type Authority, createAuthority, HAS_OPENSSL } from "../support/authority.ts";
import {
  type Answer,
  atEnd,
  configured,
  endAll,
  home,
  KEYS,
  ROLE_ARN,
  setVariable,
  startFake,
} from "../support/credential-server.ts";
import { messagePattern, readErrorsTable } from "../support/errors-table.ts";
import { startForwardProxy } from "../support/forward-proxy.ts";

type Provoke = () => Promise<{ readonly get: (path: string) => Promise<Answer>; readonly lines: readonly string[] }>;
interface Case {
  readonly path?: string;
  readonly provoke: Provoke;
}

const MINUTE_MS = 60_000;
const SECRETS = { ...KEYS, AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY" };
/** A port that no system gives away: one that was free may be that of the server under test. */
const NOBODY = "http://127.0.0.1:1";
const PASSWORD = "hunter2hunter2";
const AWAY = { AWS_EC2_METADATA_DISABLED: "true" };
const SSO =
  "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Dev\n[sso-session corp]\nsso_start_url = https://corp\nsso_region = us-east-1\n";

let authority: Authority | undefined;

/** STS and IAM that fail so. */
const failing = (failures: ReturnType<typeof startFake>["failures"], clockMs = 0): Provoke => {
  return async () => {
    const aws = startFake();
    Object.assign(aws.failures, failures);
    aws.clockMs = clockMs;
    return configured({ ...SECRETS, STS_ENDPOINT: aws.url, IAM_ENDPOINT: aws.url });
  };
};
const at = (endpoint: string, env: Record<string, string> = {}): Provoke => {
  return async () => configured({ ...SECRETS, STS_ENDPOINT: endpoint, ...env });
};
const proxied = (options: { refuse: number }): Provoke => {
  return async () => {
    const proxy = await startForwardProxy({ targetPort: 9, user: `me:${PASSWORD}`, ...options });
    atEnd(proxy.stop);
    return configured({ ...SECRETS, AWS_REGION: "eu-west-1", HTTPS_PROXY: proxy.url });
  };
};
const tls = (name: string, trusted: boolean): Provoke => {
  return async () => {
    if (authority === undefined) throw new Error("openssl is missing");
    const aws = startFake(authority.issue(name));
    const env = { ...SECRETS, STS_ENDPOINT: aws.url, ...(trusted && { AWS_CA_BUNDLE: authority.ca }) };
    return configured(env);
  };
};
const identity = (files: Parameters<typeof home>[0], env: Record<string, string> = {}): Provoke => {
  return async () => configured({ HOME: home(files), ...AWAY, ...env });
};

/** Our own deadline is longer than a test should take: here it is shorter. */
const unanswered: Provoke = async () => {
  const aws = startFake();
  aws.delayMs = 1000;
  const { handle } = createHttpHandler({}, 50);
  const request = new HttpRequest({ protocol: "http:", hostname: "127.0.0.1", port: aws.port, path: "/" });
  const failure = await handle(request).then(
    () => undefined,
    (error: unknown) => toAppError(error, { action: "sts:AssumeRole as profile 'dev'", remedy: "" }),
  );
  const answer = toResponse(failure, "/creds");
  const body = (await answer.json()) as Record<string, string>;
  return { get: async () => ({ status: answer.status, body }), lines: [failure?.sentence ?? ""] };
};

const slow: Provoke = async () => {
  const aws = startFake();
  aws.delayMs = 1500;
  return configured({ ...SECRETS, STS_ENDPOINT: aws.url });
};

const expiredSso: Provoke = async () => {
  const HOME = home({ config: SSO });
  const cache = join(HOME, ".aws", "sso", "cache");
  mkdirSync(cache, { recursive: true });
  const name = new Bun.CryptoHasher("sha1").update("corp").digest("hex");
  writeFileSync(join(cache, `${name}.json`), '{"accessToken":"sso-access-token","expiresAt":"2020-01-01T00:00:00Z"}');
  // The SDK looks for the token in the home of the process.
  setVariable("HOME", HOME);
  return configured({ HOME, AWS_PROFILE: "dev", ...AWAY });
};

const denied = { code: "AccessDenied", status: 403, message: "User: arn:aws:iam::1:user/dev is not authorized" };
const unknownKey = { code: "InvalidClientTokenId", status: 403, message: "The security token is invalid." };

const CASES: Readonly<Record<string, Case>> = {
  "no identity at all": { provoke: identity({}) },
  "unknown profile": { provoke: identity({ config: SSO }, { AWS_PROFILE: "dve" }) },
  "expired SSO session": { provoke: expiredSso },
  "invalid keys": { provoke: failing({ GetSessionToken: unknownKey }) },
  "clock behind": {
    provoke: failing(
      {
        GetSessionToken: { code: "SignatureDoesNotMatch", status: 403, message: "Signature expired: 1 is now earlier" },
      },
      15 * MINUTE_MS,
    ),
  },
  "clock ahead": {
    provoke: failing({ GetSessionToken: { code: "RequestTimeTooSkewed", status: 403 } }, -180 * MINUTE_MS),
  },
  "a set that has ended already, or a clock that is far ahead": {
    provoke: async () => {
      const aws = startFake();
      aws.lifeSeconds = -1;
      return configured({ ...SECRETS, STS_ENDPOINT: aws.url });
    },
  },
  "anything else that STS refuses": {
    path: `/role-arn/${ROLE_ARN}`,
    provoke: failing({ AssumeRole: { code: "ValidationError", status: 400 } }),
  },
  "access denied": { path: `/role-arn/${ROLE_ARN}`, provoke: failing({ AssumeRole: denied }) },
  "access denied, and IAM cannot be asked for the role's path with a session of GetSessionToken": {
    path: "/role/app",
    provoke: failing({ AssumeRole: denied, GetRole: unknownKey }),
  },
  "access denied, and iam:GetRole may not be asked for the role's path": {
    path: "/role/app",
    provoke: failing({ AssumeRole: denied, GetRole: denied }),
  },
  "no such role": {
    path: "/role/app",
    provoke: failing({ AssumeRole: denied, GetRole: { code: "NoSuchEntity", status: 404 } }),
  },
  "not a role's name": { path: "/role/a%20b", provoke: failing({}) },
  "slow: over 0.9 s, goes on in the background": { provoke: slow },
  "no answer within 10 s": { provoke: unanswered },
  "nothing listens, or the connection breaks": { provoke: at(NOBODY) },
  "unknown host name": { provoke: at("https://sts.nowhere.invalid") },
  throttled: { provoke: failing({ GetSessionToken: { code: "Throttling", status: 400 } }) },
  "broken at AWS": { provoke: failing({ GetSessionToken: { code: "InternalFailure", status: 500 } }) },
  "TLS certificate that is not trusted": { provoke: tls("IP:127.0.0.1", false) },
  "TLS certificate for another host": { provoke: tls("DNS:sts.other.example", true) },
  "https to a server without TLS": { provoke: () => at(startFake().url.replace("http:", "https:"))() },
  "the proxy wants a password": { provoke: proxied({ refuse: 407 }) },
  "the proxy refuses": { provoke: proxied({ refuse: 403 }) },
  "the proxy is not there": {
    provoke: at("https://sts.example.test", { HTTPS_PROXY: NOBODY.replace("//", `//me:${PASSWORD}@`) }),
  },
};

const rows = await readErrorsTable();

describe("each row of docs/errors.md is what is answered and logged", () => {
  beforeAll(async () => {
    await import("../../src/aws/source.ts");
    if (HAS_OPENSSL) authority = createAuthority();
  });
  afterAll(() => authority?.remove());
  afterEach(endAll);

  test("all of them are provoked", () => {
    expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(CASES).sort());
  });
  for (const row of rows) {
    const found = CASES[row.name];
    test.skipIf(!HAS_OPENSSL && /certificate/.test(row.name))(row.name, async () => {
      const { get, lines } = await (found?.provoke() ?? Promise.reject(new Error("nothing provokes it")));
      const { status, body } = await get(found?.path ?? "/creds");
      const { code, message = "" } = body;
      expect(message).toMatch(messagePattern(row));
      expect({ status, code }).toEqual({ status: row.status, code: row.code });
      expect(JSON.stringify(body)).toBe(
        JSON.stringify({ code, message, HTTPErrorCode: status, Code: code, Message: message }),
      );
      const log = lines.join("\n");
      // Its values are JSON, and what goes on has not failed yet.
      const said = /^(not a role's name|slow)/.test(row.name) ? [message.split("; ")[0] ?? ""] : message.split("; ");
      for (const sentence of said) expect(log).toContain(JSON.stringify(sentence).slice(1, -1));
      for (const secret of [SECRETS.AWS_SECRET_ACCESS_KEY, PASSWORD, "sso-access-token"]) {
        expect(message + log).not.toContain(secret);
      }
    });
  }
});
