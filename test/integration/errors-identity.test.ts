import { afterEach, beforeAll, describe, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createProcesses } from "../../src/aws/credential-process.ts";
import { toAppError } from "../../src/aws/errors.ts";
import { createOnlineSource } from "../../src/aws/lazy-source.ts";
import { parseConfig } from "../../src/config/config.ts";
import { PROCESS_TIMEOUT_MS } from "../../src/timeout.ts";
import {
  atEnd,
  configured,
  endAll,
  home,
  online,
  serve,
  settled,
  startFake,
  startIdentity,
} from "../support/credential-server.ts";
import {
  expectRow,
  failedWith,
  failing,
  identity,
  type Provoke,
  profile,
  ROLE,
  SECRETS,
  sso,
  UNREACHABLE,
} from "../support/errors-aws.ts";
import { testRows } from "../support/errors-table.ts";
import { freePort } from "../support/free-port.ts";
import { secret } from "../support/secrets.ts";

const MINUTE_MS = 60_000;
/** Of a credential_process: the program's own is longer than a test should take. */
const DEADLINE_MS = 200;
/** No shape tells that it is a secret. */
const WORD = "tokenInOneWord";
const KEYED = "aws_access_key_id = AKIAFILE\naws_secret_access_key = s";
const role = (lines: string) => profile(`role_arn = ${ROLE}\n${lines}`);
const process = (command: string) => profile(`credential_process = ${command}`);
const printing = (given: object) => process(`echo '${JSON.stringify(given)}'`);
const keys = { Version: 1, AccessKeyId: "ASIA", SecretAccessKey: "s" };

const stuck: Provoke = async () => {
  const HOME = home({ config: "[profile dev]\ncredential_process = sleep 60\n" });
  const env = { HOME, AWS_PROFILE: "dev" };
  const config = parseConfig(env).aws;
  return serve(createOnlineSource({ config, env, now: Date.now, processTimeoutMs: DEADLINE_MS }), Date.now);
};
const written = (config: string): Provoke => identity({ config });
const refusedRole: Provoke = async () => {
  const aws = startFake();
  aws.failures.AssumeRole = { code: "AccessDenied", status: 403 };
  const config = `[profile dev]\nrole_arn = ${ROLE}\nsource_profile = dev\n${KEYED}\n`;
  return configured({ HOME: home({ config }), AWS_PROFILE: "dev", STS_ENDPOINT: aws.url });
};
const endedPortal: Provoke = async () => {
  const portal = startIdentity();
  return sso("revoked", "2099-01-01T00:00:00Z", { AWS_ENDPOINT_URL_SSO: portal.url })();
};
const RENEWABLE = { clientId: "c", clientSecret: secret("client-secret"), refreshToken: secret("refresh-0") };
/** A login of SSO where something else answers, with a secret as all that it says. */
const page = (session: string, expiresAt: string, variable: string): Provoke => {
  return async () => {
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(WORD) });
    atEnd(() => server.stop(true));
    const provoked = await sso(session, expiresAt, { [variable]: `http://127.0.0.1:${server.port}` }, RENEWABLE)();
    const get: typeof provoked.get = async (path) => {
      const answer = await provoked.get(path);
      expect(answer.body.message + provoked.lines.join()).not.toContain(WORD);
      return answer;
    };
    return { ...provoked, get };
  };
};

const failingPortal = (session: string, status: number): Provoke => {
  return async () => {
    const portal = startIdentity();
    portal.portalFailure = { status };
    const { get, lines } = await sso(session, "2099-01-01T00:00:00Z", { AWS_ENDPOINT_URL_SSO: portal.url })();
    return { get: (path) => settled(get, path), lines };
  };
};

/** What AWS_CONTAINER_CREDENTIALS_FULL_URI names answers so. */
const container = (answer?: { status: number; body: string }, env: Record<string, string> = {}): Provoke => {
  return async () => {
    const machine = startIdentity();
    machine.containerAnswer = answer;
    return configured({ HOME: home({}), AWS_CONTAINER_CREDENTIALS_FULL_URI: `${machine.url}/container`, ...env });
  };
};
const containerAt = (url: string) => identity({}, { AWS_CONTAINER_CREDENTIALS_FULL_URI: url });
const itself: Provoke = async () => {
  const port = freePort();
  const env = { HOME: home({}), AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/creds` };
  return online(startFake(), env, Date.now, port);
};

/** What the machine gave, refused by AWS. */
const refused = (env: (url: string) => Record<string, string>): Provoke => {
  return async () => {
    const machine = startIdentity();
    const aws = startFake();
    aws.failures.GetCallerIdentity = { code: "InvalidClientTokenId", status: 403, message: "It is invalid." };
    const { get, lines } = configured({
      HOME: home({}),
      STS_ENDPOINT: aws.url,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: machine.url,
      ...env(machine.url),
    });
    return { get: () => get("/role/app"), lines };
  };
};

const CASES: Readonly<Record<string, Provoke>> = {
  "no identity at all": identity({}),
  "a key of `~/.aws` before any section": written("a = 1\n"),
  "a section of `~/.aws` without its end, or with words behind it": written("[default\n"),
  "a line of `~/.aws` without a value": written("[default]\nx\n"),
  "an indented section of `~/.aws`": written("[default]\na = 1\n  [prod]\n"),
  "`~/.aws` in another encoding": async () => {
    const HOME = home({});
    writeFileSync(join(HOME, ".aws", "config"), Buffer.from("[default]\na = é\n", "latin1"));
    return configured({ HOME });
  },
  "`~/.aws/config` or `~/.aws/credentials` is there and cannot be read: it is another user's, or a folder or a pipe":
    identity({}, { AWS_CONFIG_FILE: import.meta.dir }),
  "unknown profile": identity({ config: "[profile dev]\nregion = x\n" }, { AWS_PROFILE: "dve" }),
  "invalid keys": failing({
    GetSessionToken: { code: "InvalidClientTokenId", status: 403, message: "It is invalid." },
  }),
  "keys that have ended": async () =>
    configured({ ...SECRETS, AWS_SESSION_TOKEN: "ended", AWS_CREDENTIAL_EXPIRATION: "2020-01-01T00:00:00Z" }),
  "AWS does not take what the container's endpoint gave the server": refused((url) => ({
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/container`,
  })),
  "AWS does not take what the instance gave the server": refused(() => ({})),
  "a set that has ended already, or a clock that is far ahead": async () => {
    const aws = startFake();
    aws.lifeSeconds = -1;
    return configured({ ...SECRETS, STS_ENDPOINT: aws.url });
  },
  "clock behind": failing(
    {
      GetSessionToken: { code: "SignatureDoesNotMatch", status: 403, message: "Signature expired: 1 is now earlier" },
    },
    15 * MINUTE_MS,
  ),
  "clock ahead": failing({ GetSessionToken: { code: "RequestTimeTooSkewed", status: 403 } }, -180 * MINUTE_MS),
  // Every server of Bun's says its time.
  "a wrong clock, and no word of AWS's own": () => {
    const refusal = Object.assign(new Error("refused"), { name: "RequestTimeTooSkewed" });
    return failedWith(() => {
      throw toAppError(refusal, { action: "sts:GetSessionToken as the keys of the environment", remedy: "" });
    });
  },
  "an unexpected failure": async () => {
    const fail = () => Promise.reject(new TypeError("a fault of our own"));
    return serve({ version: () => "", session: fail, assume: fail, warm: async () => {} }, Date.now);
  },

  "expired SSO session": sso("ended", "2020-01-01T00:00:00Z"),
  "SSO session that AWS has ended": endedPortal,
  "AWS's SSO is not reached": sso("unreached", "2099-01-01T00:00:00Z", { AWS_ENDPOINT_URL_SSO: UNREACHABLE }),
  "AWS's SSO limits calls": failingPortal("limited", 429),
  "AWS's SSO is broken": failingPortal("broken", 500),
  "AWS's SSO is not reached to renew the login": sso(
    "unrenewed",
    "2020-01-01T00:00:00Z",
    { AWS_ENDPOINT_URL_SSO_OIDC: UNREACHABLE },
    RENEWABLE,
  ),
  "what answers is not AWS's SSO, as the page of a login": page(
    "paged",
    "2099-01-01T00:00:00Z",
    "AWS_ENDPOINT_URL_SSO",
  ),
  "what answers is not AWS's SSO, where the login is to be renewed": page(
    "unrenewable",
    "2020-01-01T00:00:00Z",
    "AWS_ENDPOINT_URL_SSO_OIDC",
  ),
  "SSO without account or role": profile("sso_session = corp"),
  "an sso_session that the file does not describe": profile(
    "sso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Dev",
  ),
  "a login of `aws login` that has ended or was never made": profile("login_session = arn:aws:iam::1:user/dev"),
  "a profile that has nothing of an identity, or half of it": profile("aws_access_key_id = AKIAFILE"),
  "a role that needs an MFA code, which a server cannot ask for": role(
    "source_profile = keys\nmfa_serial = arn:aws:iam::1:mfa/dev",
  ),
  "a role, and nothing to assume it with": role(""),
  "a role with two sources": role("source_profile = keys\ncredential_source = Environment"),
  "a source_profile that there is not": role("source_profile = keys"),
  "profiles that are each other's source": role(
    `source_profile = two\n[profile two]\nrole_arn = ${ROLE}\nsource_profile = three\n` +
      `[profile three]\nrole_arn = ${ROLE}\nsource_profile = two`,
  ),
  "a wrong duration_seconds": role(`source_profile = dev\nduration_seconds = 60\n${KEYED}`),
  "a credential_source that there is not": role("credential_source = Cloud"),
  "credential_source Environment, and no keys there": role("credential_source = Environment"),
  "credential_source EcsContainer outside of a task": role("credential_source = EcsContainer"),
  "credential_source Ec2InstanceMetadata outside of EC2": role("credential_source = Ec2InstanceMetadata"),
  "the role of a profile that AWS refuses": refusedRole,
  "a web identity that fails": role("web_identity_token_file = /nonexistent"),

  "it waits for something, such as a password or a browser: it has 50 s, then it is killed": stuck,
  // Every machine that runs this has a shell.
  "the server's image has no shell to run it with": () =>
    failedWith(() => createProcesses({ shell: "/bin/sh-that-is-not-here" })("dev", "true")),
  "it failed": process("sh -c 'exit 3'"),
  "the program is not there: not in the server's container, or not in its PATH": process("no-such-program-here"),
  "it wrote something else than JSON": process("echo hello"),
  "its JSON is of another version": printing({ ...keys, Version: 2 }),
  "its JSON lacks a key, or one is empty": printing({ Version: 1 }),
  "its SessionToken is not a string": printing({ ...keys, SessionToken: {} }),
  "its Expiration is not a time, or after the year 9999": printing({ ...keys, Expiration: "soon" }),
  "its credentials have ended already": printing({ ...keys, Expiration: "2020-01-01T00:00:00Z" }),
  "it wrote over 100,000 characters": process("head -c 200000 /dev/zero"),

  "a web identity without its role": identity({}, { AWS_WEB_IDENTITY_TOKEN_FILE: "/nonexistent" }),
  "a web identity whose token cannot be read or is refused": identity(
    {},
    { AWS_WEB_IDENTITY_TOKEN_FILE: "/nonexistent", AWS_ROLE_ARN: ROLE },
  ),
  "the variable is not a URL": containerAt("creds"),
  "the URL is of another host, without TLS": containerAt("http://example.com/creds"),
  "the URL is this server's own": itself,
  "what is there is slow, or broken": container({ status: 500, body: "" }),
  "nothing listens there": containerAt(`${UNREACHABLE}/creds`),
  "what is there answers without end": container({ status: 200, body: " ".repeat(2 * 1024 * 1024) }),
  "what is there gives something else than credentials, or a set of which something is missing": container({
    status: 200,
    body: "<html>",
  }),
  "what is there refuses": container({ status: 404, body: "" }),
  "the file with the token for it cannot be read": container(undefined, {
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/nonexistent",
  }),
  "the token for it has a line's end or a letter that no header takes": container(undefined, {
    AWS_CONTAINER_AUTHORIZATION_TOKEN: "one\ntwo",
  }),
};

describe("each row of docs/errors.md is what is answered and logged:", () => {
  beforeAll(() => import("../../src/aws/source.ts"));
  afterEach(endAll);

  testRows(["The server's own identity"], CASES, async (row, provoke) => {
    const shown = (text: string) => text.replace(`${PROCESS_TIMEOUT_MS / 1000} s`, `${DEADLINE_MS / 1000} s`);
    const shell = (text: string) =>
      row.why.includes("no shell") ? text.replace("/bin/sh", "/bin/sh-that-is-not-here") : text;
    await expectRow({ ...row, cause: shell(shown(row.cause)) }, await provoke());
  });
});
