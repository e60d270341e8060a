import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fromContainerMetadata, fromHttp } from "@aws-sdk/credential-providers";
import { Elysia } from "elysia";
import type { CredentialSource } from "../../src/aws/contract.ts";
import { createOfflineSource } from "../../src/aws/offline.ts";
import { createOnlineSource } from "../../src/aws/online.ts";
import { createVendor } from "../../src/credentials/vendor.ts";
import type { Log } from "../../src/log.ts";
import { peerAddress } from "../../src/routes/address.ts";
import { credentialRoutes } from "../../src/routes/credentials.ts";
import { type Fail, toResponse } from "../../src/routes/http-error.ts";
import { type FakeAws, startFakeAws } from "../support/fake-aws.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

const KEYS = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "long-lived", HOME: "/nonexistent" };
const ROLE_ARN = "arn:aws:iam::111122223333:role/team/app";

interface Answer {
  readonly status: number;
  readonly body: Record<string, string>;
}

function startFake(): FakeAws {
  const aws = startFakeAws();
  cleanUps.push(aws.stop);
  return aws;
}

const fail: Fail = (error, request) => toResponse(error, new URL(request.url).pathname);

function serve(source: CredentialSource, now: () => number) {
  const lines: string[] = [];
  const write = (event: string, fields: object = {}) => void lines.push(`${event} ${JSON.stringify(fields)}`);
  const log: Log = { debug: write, info: write, warning: write, error: write, flush: () => {} };
  const vendor = createVendor({ source, now, log });
  const app = new Elysia({ serve: { development: false } })
    .onError(({ error, request }) => fail(error, request))
    .use(credentialRoutes({ vendor, log, addressOf: peerAddress, callerName: () => "shop-web-1", fail }))
    .listen({ port: 0, hostname: "127.0.0.1" });
  cleanUps.push(() => app.stop(true), vendor.close);
  const url = `http://127.0.0.1:${app.server?.port}`;
  const get = async (path: string): Promise<Answer> => {
    const answer = await fetch(url + path);
    expect(answer.headers.get("content-type")).toBe("application/json");
    return { status: answer.status, body: (await answer.json()) as Record<string, string> };
  };
  return { url, get, lines, port: app.server?.port ?? 0 };
}

function online(aws: FakeAws, env: Record<string, string>, now: () => number = Date.now) {
  const config = { stsEndpoint: aws.url, iamEndpoint: aws.url, region: undefined, sharedTokenExpirationSeconds: 750 };
  return serve(createOnlineSource({ config, env, now }), now);
}

function home(files: { config?: string; credentials?: string; token?: string }): string {
  const folder = mkdtempSync(join(tmpdir(), "credentials-"));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, ".aws"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, ".aws", name), text);
  return folder;
}

/** `fetch` has 256 places in a process, and the server under test needs one of them: here each request is a socket. */
function rawStatus(port: number, path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  void Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (socket) => void socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`),
      data: (_, chunk) => {
        text += chunk.toString();
      },
      close: () => resolve(text.split(" ", 2)[1] ?? ""),
      error: (_, error) => reject(error),
    },
  }).catch(reject);
  return promise;
}

const ROUTES = [
  "/creds",
  "/role/app",
  "/role/team/app",
  "/role/app/",
  `/role/${encodeURIComponent(ROLE_ARN)}`,
  `/role-arn/${ROLE_ARN}`,
];

describe("the SDK's own providers take credentials", () => {
  for (const path of [...ROUTES, "/v2/credentials/any"]) {
    test(`of ${path}, by fromHttp`, async () => {
      const { url } = online(startFake(), KEYS);
      const given = await fromHttp({ awsContainerCredentialsFullUri: url + path })();
      expect(given).toMatchObject({ accessKeyId: expect.stringMatching(/^ASIA/), expiration: expect.any(Date) });
    });
    test(`of ${path}, by fromContainerMetadata`, async () => {
      const { url } = online(startFake(), KEYS);
      const before = process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
      process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI = url.replace("127.0.0.1", "localhost") + path;
      cleanUps.push(() => {
        if (before === undefined) delete process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
        else process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI = before;
      });
      expect(await fromContainerMetadata()()).toMatchObject({ accessKeyId: expect.stringMatching(/^ASIA/) });
    });
  }
});

describe("upstream", () => {
  test("a thousand first requests for one role are one AssumeRole and one GetCallerIdentity", async () => {
    const aws = startFake();
    aws.delayMs = 100;
    const { port } = online(aws, KEYS);
    const statuses = await Promise.all(Array.from({ length: 1000 }, () => rawStatus(port, "/role/app")));
    expect(new Set(statuses)).toEqual(new Set(["200"]));
    expect(aws.calls).toEqual({ GetCallerIdentity: 1, AssumeRole: 1 });
  });
  test("a role whose path the name leaves out is found by IAM", async () => {
    const aws = startFake();
    aws.paths.app = "/team/";
    const { get } = online(aws, KEYS);
    expect((await get("/role/app")).body).toMatchObject({ RoleArn: ROLE_ARN });
    expect(aws.calls).toEqual({ GetCallerIdentity: 1, AssumeRole: 2, GetRole: 1 });
    expect(aws.requests.at(-1)?.params.get("RoleSessionName")).toBe("ecs-local-app");
  });
  test("slow: 503 within a second, and filled later", async () => {
    const aws = startFake();
    aws.delayMs = 1100;
    const { get } = online(aws, KEYS);
    const before = performance.now();
    expect(await get("/creds")).toMatchObject({
      status: 503,
      body: { message: expect.stringContaining("still fetching") },
    });
    expect(performance.now() - before).toBeLessThan(1000);
    await Bun.sleep(400);
    expect((await get("/creds")).status).toBe(200);
    expect(aws.calls).toEqual({ GetSessionToken: 1 });
  });
  test("a failure is one call for 5 s, says AWS's code and no key, and passes", async () => {
    const aws = startFake();
    let at = Date.now();
    const { get, lines } = online(aws, KEYS, () => at);
    aws.failures.GetSessionToken = {
      code: "InvalidClientTokenId",
      status: 403,
      message: "The token AKIAEXAMPLE000000 is invalid",
    };
    for (let asked = 0; asked < 5; asked += 1) {
      const { status, body } = await get("/creds");
      expect([status, body.message]).toEqual([400, expect.stringContaining("InvalidClientTokenId")]);
      expect(body.message).not.toContain("AKIAEXAMPLE");
    }
    expect(aws.calls).toEqual({ GetSessionToken: 1 });
    aws.failures.GetSessionToken = undefined;
    at += 5000;
    expect((await get("/creds")).status).toBe(200);
    expect(lines.join("\n")).not.toMatch(/long-lived|secret-|token-1/);
    expect(lines.at(-1)).toContain('"caller":"shop-web-1","path":"/creds","role":"","outcome":"vended"');
  });
  test("throttled and broken are 503, refused is 403", async () => {
    const aws = startFake();
    const { get } = online(aws, KEYS);
    aws.failures.AssumeRole = { code: "Throttling", status: 400 };
    expect((await get(`/role/${ROLE_ARN}1`)).status).toBe(503);
    aws.failures.AssumeRole = { code: "InternalFailure", status: 500 };
    expect((await get(`/role/${ROLE_ARN}2`)).status).toBe(503);
    aws.failures.AssumeRole = { code: "AccessDenied", status: 403 };
    expect((await get(`/role/${ROLE_ARN}3`)).status).toBe(403);
  });
  test("nothing listens: 503 that says so", async () => {
    const aws = startFake();
    await aws.stop();
    const { status, body } = await online(aws, KEYS).get("/creds");
    expect([status, body.message]).toEqual([503, expect.stringContaining("could not reach AWS")]);
  });
  test("bad roles reach nobody", async () => {
    const aws = startFake();
    const { get } = online(aws, KEYS);
    for (const path of [
      "/role",
      "/role/",
      "/role-arn/",
      "/role-arn/app",
      "/role/%zz",
      "/role/a%20b",
      `/role/${"x".repeat(2048)}`,
    ]) {
      expect((await get(path)).status).toBe(400);
    }
    expect(aws.calls).toEqual({});
  });
});

describe("the identity", () => {
  test("temporary keys of the environment are passed on, with their end or ours", async () => {
    const aws = startFake();
    const end = "2030-01-01T00:00:00Z";
    const keys = { ...KEYS, AWS_SESSION_TOKEN: "given" };
    const known = await online(aws, { ...keys, AWS_CREDENTIAL_EXPIRATION: end }).get("/creds");
    expect(known.body).toEqual({
      RoleArn: "",
      AccessKeyId: "AKIAEXAMPLE",
      SecretAccessKey: "long-lived",
      Token: "given",
      Expiration: end,
    });
    const unknown = await online(aws, keys, () => Date.UTC(2026, 0, 1)).get("/creds");
    expect(unknown.body.Expiration).toBe("2026-01-01T00:12:30Z");
    const past = await online(aws, { ...keys, AWS_CREDENTIAL_EXPIRATION: "2020-01-01T00:00:00Z" }).get("/creds");
    expect([past.status, past.body.message]).toEqual([400, expect.stringContaining("expired at 2020")]);
    expect(aws.calls).toEqual({});
  });
  test("a profile with role_arn and source_profile", async () => {
    const aws = startFake();
    const config = `[profile dev]\nrole_arn = ${ROLE_ARN}\nsource_profile = base\nregion = eu-west-1\n`;
    const credentials = "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n";
    const { get } = online(aws, { HOME: home({ config, credentials }), AWS_PROFILE: "dev" });
    expect((await get("/creds")).body).toMatchObject({ AccessKeyId: expect.stringMatching(/^ASIA/), Token: "token-1" });
    expect((await get("/role/app")).status).toBe(200);
    expect(aws.calls).toEqual({ AssumeRole: 2, GetCallerIdentity: 1 });
    expect(aws.requests[0]?.authorization).toContain("Credential=AKIABASE/");
    expect(aws.requests[2]?.authorization).toContain("/eu-west-1/sts/");
  });
  test("a credential_process, and one that fails", async () => {
    const aws = startFake();
    const given =
      '{"Version":1,"AccessKeyId":"ASIAPROC","SecretAccessKey":"s","SessionToken":"t","Expiration":"2030-01-01T00:00:00Z"}';
    const folder = home({});
    writeFileSync(join(folder, "given.json"), given);
    const config = `[default]\ncredential_process = cat ${folder}/given.json\n[profile bad]\ncredential_process = sh -c "echo locked >&2; exit 1"\n`;
    writeFileSync(join(folder, ".aws", "config"), config);
    expect((await online(aws, { HOME: folder }).get("/creds")).body).toMatchObject({ AccessKeyId: "ASIAPROC" });
    const bad = await online(aws, { HOME: folder, AWS_PROFILE: "bad" }).get("/creds");
    expect([bad.status, bad.body.message]).toEqual([
      400,
      expect.stringContaining("credential_process failed (locked)"),
    ]);
  });
  test("web identity of the environment", async () => {
    const aws = startFake();
    const HOME = home({ token: "jwt" });
    const env = { HOME, AWS_WEB_IDENTITY_TOKEN_FILE: join(HOME, ".aws", "token"), AWS_ROLE_ARN: ROLE_ARN };
    expect((await online(aws, env).get("/creds")).status).toBe(200);
    expect(aws.calls).toEqual({ AssumeRoleWithWebIdentity: 1 });
  });
  // The SDK reads HOME and the portal's address from the process itself, so this one has its own.
  test("a profile of SSO, and the login that ended", async () => {
    const aws = startFake();
    const config =
      "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Dev\n[sso-session corp]\nsso_start_url = https://corp\nsso_region = us-east-1\n";
    const HOME = home({ config });
    const token = join(
      HOME,
      ".aws",
      "sso",
      "cache",
      `${new Bun.CryptoHasher("sha1").update("corp").digest("hex")}.json`,
    );
    mkdirSync(dirname(token), { recursive: true });
    writeFileSync(token, '{"accessToken":"t","expiresAt":"2090-01-01T00:00:00Z"}');
    const run = async (): Promise<string> => {
      const env = { PATH: process.env.PATH, HOME, AWS_PROFILE: "dev", AWS_ENDPOINT_URL_SSO: aws.url };
      const script = `const { createOnlineSource } = await import(${JSON.stringify(join(import.meta.dir, "../../src/aws/online.ts"))});
        const config = { sharedTokenExpirationSeconds: 750 };
        const source = createOnlineSource({ config, env: process.env, now: Date.now });
        console.log(await source.session().then((made) => made.sessionToken, (error) => error.code + ": " + error.sentence));`;
      return Bun.spawn([process.execPath, "-e", script], { env, stdout: "pipe" }).stdout.text();
    };
    expect(await run()).toBe("token-1\n");
    aws.failures.GetRoleCredentials = {
      code: "UnauthorizedException",
      status: 401,
      message: "Session token not found",
    };
    expect(await run()).toMatch(/^identity-failed: .*UnauthorizedException.*run: aws sso login --profile dev/);
    await aws.stop();
    expect(await run()).toMatch(/^upstream-unavailable: profile 'dev'/);
    rmSync(token);
    expect(await run()).toMatch(/^identity-failed: .*run: aws sso login --profile dev/);
  });
  test("a mistyped profile names those there are; none at all says what was tried", async () => {
    const aws = startFake();
    const HOME = home({ config: "[profile dev]\nregion = eu-west-1\n[profile prod]\nregion = x\n" });
    const wrong = await online(aws, { HOME, AWS_PROFILE: "dve" }).get("/creds");
    expect([wrong.status, wrong.body.message]).toEqual([400, expect.stringContaining("they name: dev, prod")]);
    const none = await online(aws, { HOME: home({}) }).get("/creds");
    expect(none.body.message).toContain("aws sso login");
    const empty = await online(aws, { HOME, AWS_PROFILE: "dev" }).get("/creds");
    expect(empty.body.message).toContain("profile 'dev' gave no credentials");
  });
  test("an edited file is used within a second", async () => {
    const aws = startFake();
    const HOME = home({ credentials: "[default]\naws_access_key_id = AKIAONE\naws_secret_access_key = s\n" });
    const { get } = online(aws, { HOME });
    await get("/creds");
    writeFileSync(
      join(HOME, ".aws", "credentials"),
      "[default]\naws_access_key_id = AKIATWO2\naws_secret_access_key = s\n",
    );
    await Bun.sleep(1000);
    await get("/creds");
    expect(aws.requests.map(({ authorization }) => /Credential=(\w+)/.exec(authorization)?.[1])).toEqual([
      "AKIAONE",
      "AKIATWO2",
    ]);
  });
});

test("offline answers every route and asks nobody", async () => {
  const { get } = serve(createOfflineSource({ now: Date.now }), Date.now);
  for (const path of ROUTES) {
    expect(await get(path)).toMatchObject({
      status: 200,
      body: { AccessKeyId: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/) },
    });
  }
});
