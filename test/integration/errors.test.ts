import { afterAll, afterEach, beforeAll, describe } from "bun:test";
import { HttpRequest } from "@smithy/core/protocols";
import { toAppError } from "../../src/aws/errors.ts";
import { createHttpHandler } from "../../src/aws/http-handler.ts";
import type { CredentialSource } from "../../src/aws/types.ts";
import { createVendor, type Vendor } from "../../src/credentials/vendor.ts";
import { type Authority, createAuthority, HAS_OPENSSL } from "../support/authority.ts";
import { atEnd, configured, endAll, ROLE_ARN, startFake } from "../support/credential-server.ts";
import { expectRow, failedWith, failing, PASSWORD, type Provoke, SECRETS, UNREACHABLE } from "../support/errors-aws.ts";
import { testRows } from "../support/errors-table.ts";
import { startForwardProxy } from "../support/forward-proxy.ts";

interface Case {
  readonly path?: string;
  readonly provoke: Provoke;
}

let authority: Authority | undefined;

const at = (endpoint: string, env: Record<string, string> = {}): Provoke => {
  return async () => configured({ ...SECRETS, STS_ENDPOINT: endpoint, ...env });
};
/** An endpoint that answers everything so. */
const constant = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): string => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(body, { headers }) });
  atEnd(() => server.stop(true));
  return `http://127.0.0.1:${server.port}`;
};
const proxied = (options: { refuse: number }): Provoke => {
  return async () => {
    const proxy = await startForwardProxy({ targetPort: 9, user: `me:${PASSWORD}`, ...options });
    atEnd(proxy.stop);
    return configured({ ...SECRETS, AWS_REGION: "eu-west-1", HTTPS_PROXY: proxy.url });
  };
};
const tls = (name: string, trusted: boolean, ended = false): Provoke => {
  return async () => {
    if (authority === undefined) throw new Error("openssl is missing");
    const aws = startFake(await (ended ? authority.issueEnded(name) : authority.issue(name)));
    const env = { ...SECRETS, STS_ENDPOINT: aws.url, ...(trusted && { AWS_CA_BUNDLE: authority.ca }) };
    return configured(env);
  };
};

/** Our own deadline is longer than a test should take: here it is shorter. */
const unanswered: Provoke = async () => {
  const aws = startFake();
  aws.delayMs = 1000;
  const { handle } = createHttpHandler({}, 50);
  const request = new HttpRequest({ protocol: "http:", hostname: "127.0.0.1", port: aws.port, path: "/" });
  return failedWith(() =>
    handle(request).catch((error: unknown) => {
      throw toAppError(error, { action: "sts:AssumeRole as profile 'dev'", remedy: "" });
    }),
  );
};

const slow: Provoke = async () => {
  const aws = startFake();
  aws.delayMs = 1500;
  return configured({ ...SECRETS, STS_ENDPOINT: aws.url });
};

/** A vendor whose limits are shorter than the program's, on a source that never answers. */
const limited = (limits: object, act: (vendor: Vendor) => unknown): Provoke => {
  return async () => {
    const never = () => new Promise<never>(() => {});
    const source: CredentialSource = { version: () => "", session: never, assume: never, warm: async () => {} };
    const log = { debug() {}, info() {}, warning() {}, error() {}, flush() {} };
    const vendor = createVendor({ source, now: Date.now, log, ...limits });
    atEnd(vendor.close);
    return failedWith(() => act(vendor));
  };
};
const crowded = (vendor: Vendor): unknown => {
  const ask = (name: string) => vendor.vend({ kind: "role", role: { kind: "name", id: name, name, path: undefined } });
  for (const name of ["one", "two"]) void Promise.try(ask, name).catch(() => undefined);
  return ask("three");
};
const stopping = (vendor: Vendor): unknown => {
  vendor.close();
  return vendor.vend({ kind: "session" });
};

const denied = { code: "AccessDenied", status: 403, message: "User: arn:aws:iam::1:user/dev is not authorized" };
const unknownKey = { code: "InvalidClientTokenId", status: 403, message: "The security token is invalid." };
const withoutArn: Provoke = async () => {
  const aws = startFake();
  aws.failures.AssumeRole = denied;
  const nothing = constant("<GetRoleResponse><GetRoleResult></GetRoleResult></GetRoleResponse>");
  return configured({ ...SECRETS, STS_ENDPOINT: aws.url, IAM_ENDPOINT: nothing });
};

const CASES: Readonly<Record<string, Case>> = {
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
  "access denied, and what answers iam:GetRole is not IAM, as with some emulators": {
    path: "/role/app",
    provoke: withoutArn,
  },
  "no such role": {
    path: "/role/app",
    provoke: failing({ AssumeRole: denied, GetRole: { code: "NoSuchEntity", status: 404 } }),
  },
  "slow: over 0.9 s, goes on in the background": { provoke: slow },
  "no answer within 10 s": { provoke: unanswered },
  "all its steps together took a minute": {
    provoke: limited({ fetchMs: 10 }, (vendor) => vendor.vend({ kind: "session" })),
  },
  "over a hundred different roles at once": { provoke: limited({ waitingMax: 1, upstreamMax: 1 }, crowded) },
  "the server is being stopped": { provoke: limited({}, stopping) },
  "nothing listens, or the connection breaks": { provoke: at(UNREACHABLE) },
  "unknown host name": { provoke: at("https://sts.nowhere.invalid") },
  throttled: { provoke: failing({ GetSessionToken: { code: "Throttling", status: 400 } }) },
  "broken at AWS": { provoke: failing({ GetSessionToken: { code: "InternalFailure", status: 500 } }) },
  "what answers is not STS": {
    provoke: () =>
      at(
        constant("<GetSessionTokenResponse><GetSessionTokenResult></GetSessionTokenResult></GetSessionTokenResponse>"),
      )(),
  },
  "what answers is not STS, as the page of a login, or its answer is cut off": {
    provoke: () => at(constant("<html><body>log in <b>here</body></html>"))(),
  },
  "an answer that is packed and cannot be unpacked": {
    provoke: () => at(constant("no gzip", { "content-encoding": "gzip" }))(),
  },
  "an answer without end": { provoke: () => at(constant(" ".repeat(2 * 1024 * 1024)))() },
  "TLS certificate that is not trusted": { provoke: tls("IP:127.0.0.1", false) },
  "TLS certificate for another host": { provoke: tls("DNS:sts.other.example", true) },
  "TLS certificate that has ended or not begun, or a wrong clock": { provoke: tls("IP:127.0.0.1", true, true) },
  "https to a server without TLS": { provoke: () => at(startFake().url.replace("http:", "https:"))() },
  "the proxy wants a password": { provoke: proxied({ refuse: 407 }) },
  "the proxy refuses": { provoke: proxied({ refuse: 403 }) },
  "the proxy is not there": {
    provoke: at("https://sts.example.test", { HTTPS_PROXY: UNREACHABLE.replace("//", `//me:${PASSWORD}@`) }),
  },
  "the file of authorities was removed while the server ran": {
    provoke: at("https://127.0.0.1:1", { AWS_CA_BUNDLE: "/nonexistent.pem" }),
  },
};

describe("each row of docs/errors.md is what is answered and logged:", () => {
  beforeAll(async () => {
    await import("../../src/aws/source.ts");
    if (HAS_OPENSSL) authority = createAuthority();
  });
  afterAll(() => authority?.remove());
  afterEach(endAll);

  testRows(
    ["The role", "The way to AWS"],
    CASES,
    async (row, { path, provoke }) => {
      // The minute is here some milliseconds.
      const shown = { ...row, cause: row.cause.replace("within 60 s", "within 0.01 s") };
      await expectRow(shown, await provoke(), path);
    },
    ({ why }) => (!HAS_OPENSSL && why.startsWith("TLS") ? "needs openssl" : undefined),
  );
});
