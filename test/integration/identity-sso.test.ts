import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endAll, home, online, settled, setVariable, startFake, startIdentity } from "../support/credential-server.ts";
import { secretsOfFile } from "../support/secrets.ts";
import { makeUnwritable } from "../support/unwritable.ts";

afterEach(endAll);

const HOUR_MS = 3_600_000;
let sessions = 0;

/** A home with a profile of SSO and a portal that accepts `access-0`. Each has a session of its own: the SDK remembers. */
function startSso(form: "session" | "legacy" = "session") {
  const sso = startIdentity();
  sessions += 1;
  const session = `corp-${sessions}`;
  const start = "sso_start_url = https://corp.test/start\nsso_region = us-east-1\n";
  const account = "sso_account_id = 111122223333\nsso_role_name = Dev\n";
  const config =
    form === "session"
      ? `[profile dev]\nsso_session = ${session}\n${account}[sso-session ${session}]\n${start}`
      : `[profile dev]\n${start}${account}`;
  const HOME = home({ config });
  const cache = join(HOME, ".aws", "sso", "cache");
  mkdirSync(cache, { recursive: true });
  const key = form === "session" ? session : "https://corp.test/start";
  const file = join(cache, `${new Bun.CryptoHasher("sha1").update(key).digest("hex")}.json`);
  for (const [name, value] of [
    ["HOME", HOME],
    ["AWS_ENDPOINT_URL_SSO", sso.url],
    ["AWS_ENDPOINT_URL_SSO_OIDC", sso.url],
  ] as const) {
    setVariable(name, value);
  }
  const login = (accessToken: string, lifeMs: number, more: object = {}) =>
    writeFileSync(file, token(accessToken, lifeMs, more));
  let at = Date.now();
  const pass = (ms: number): void => {
    at += ms;
  };
  const aws = startFake();
  const server = online(aws, { HOME, AWS_PROFILE: "dev" }, () => at);
  return { sso, session, HOME, file, login, ...server, pass };
}

function token(accessToken: string, lifeMs: number, more: object = {}): string {
  const text = JSON.stringify({ accessToken, expiresAt: new Date(Date.now() + lifeMs).toISOString(), ...more });
  secretsOfFile(text);
  return text;
}

const REFRESH = { clientId: "c", clientSecret: "client-secret", refreshToken: "refresh-0" };
const LOGIN = "run: aws sso login --profile dev";

for (const form of ["session", "legacy"] as const) {
  describe(`a profile of SSO in the form ${form}`, () => {
    test("is returned while its token lives", async () => {
      const { sso, login, get } = startSso(form);
      login("access-0", HOUR_MS);
      expect((await get("/creds")).body).toMatchObject({ AccessKeyId: "ASIAFAKE1", Token: "given-1" });
      expect([sso.calls, sso.roles]).toEqual([{ portal: 1 }, ["Dev"]]);
    });
    for (const [title, lifeMs, accessToken] of [
      ["an end in the past and no refresh token", -1000, "access-0"],
      ["a token that the portal takes no more", HOUR_MS, "access-revoked"],
    ] as const) {
      test(`with ${title} says what to run`, async () => {
        const { login, get, lines } = startSso(form);
        login(accessToken, lifeMs);
        const { status, body } = await get("/creds");
        expect([status, body.message]).toEqual([400, expect.stringContaining(LOGIN)]);
        expect(lines.join("\n") + body.message).not.toContain(accessToken);
      });
    }
    test("with no login at all says what to run, and uses a login within a second", async () => {
      const { login, get, pass } = startSso(form);
      expect((await get("/creds")).body.message).toContain(LOGIN);
      login("access-0", HOUR_MS);
      pass(1000);
      expect((await get("/creds")).status).toBe(200);
    });
    test("uses an edited role within a second", async () => {
      const { sso, HOME, login, get, pass } = startSso(form);
      login("access-0", HOUR_MS);
      await get("/creds");
      const config = join(HOME, ".aws", "config");
      writeFileSync(config, readFileSync(config, "utf8").replace("Dev", "Admin"));
      pass(1000);
      await get("/creds");
      expect(sso.roles).toEqual(["Dev", "Admin"]);
    });
  });
}

describe("a token of sso_session that ended", () => {
  test("is refreshed, and its file rewritten", async () => {
    const { sso, file, login, get } = startSso();
    login("access-old", -1000, REFRESH);
    expect((await get("/creds")).body).toMatchObject({ Token: "given-2" });
    expect(sso.calls).toEqual({ oidc: 1, portal: 1 });
    const written = JSON.parse(readFileSync(file, "utf8"));
    expect(written).toMatchObject({ ...REFRESH, accessToken: "access-1", refreshToken: "refresh-1" });
    expect(Date.parse(written.expiresAt)).toBeGreaterThan(Date.now() + HOUR_MS - 60_000);
  });
  test("is refreshed once, the SDK's write of its file costs one more fetch, and a later login is seen", async () => {
    const { sso, login, get, pass } = startSso();
    login("access-old", -1000, REFRESH);
    pass(1000);
    for (const token of ["given-2", "given-3", "given-3"]) {
      expect((await get("/creds")).body).toMatchObject({ Token: token });
      pass(1000);
    }
    expect(sso.calls).toEqual({ oidc: 1, portal: 2 });
    sso.accessToken = "access-other";
    login("access-other", HOUR_MS);
    expect((await get("/creds")).body).toMatchObject({ Token: "given-4" });
  });
  test("is refreshed and kept in memory, with the new refresh token, where its file cannot be written", async () => {
    const { sso, file, login, get, pass } = startSso();
    sso.expiresInSeconds = 200;
    login("access-old", -1000, REFRESH);
    makeUnwritable(file);
    const before = readFileSync(file, "utf8");
    expect((await get("/creds")).status).toBe(200);
    expect(readFileSync(file, "utf8")).toBe(before);
    pass(HOUR_MS - 10_000);
    expect((await get("/creds")).status).toBe(200);
    expect(sso.calls).toEqual({ oidc: 1, portal: 2 });
  });
  test("and was kept in memory gives way to a login", async () => {
    const { sso, file, login, get, pass } = startSso();
    login("access-old", -1000, REFRESH);
    makeUnwritable(file);
    await get("/creds");
    rmSync(file);
    login("access-new", HOUR_MS);
    sso.accessToken = "access-new";
    pass(1000);
    expect((await get("/creds")).status).toBe(200);
    expect(sso.calls).toEqual({ oidc: 1, portal: 2 });
  });
  test("and was kept in memory is forgotten by a logout", async () => {
    const { file, login, get, pass } = startSso();
    login("access-old", -1000, REFRESH);
    makeUnwritable(file);
    pass(1000);
    expect((await get("/creds")).status).toBe(200);
    rmSync(file);
    pass(1000);
    expect((await get("/creds")).body.message).toContain(LOGIN);
  });
  test("with a refresh token that was used up says what to run", async () => {
    const { login, get, lines } = startSso();
    login("access-old", -1000, { ...REFRESH, refreshToken: "refresh-used" });
    const { status, body } = await get("/creds");
    expect([status, body.message]).toEqual([400, expect.stringContaining(LOGIN)]);
    expect(lines.join("\n") + body.message).not.toMatch(/refresh-used|client-secret|access-old/);
  });
  test("and gets no connection is 503, which is not an expired login", async () => {
    const { sso, login, get, pass } = startSso();
    login("access-old", -1000, REFRESH);
    await sso.stop();
    const { port } = new URL(sso.url);
    // The SDK does not try a refresh again within 30 s.
    for (let asked = 0; asked < 3; asked += 1) {
      const { status, body } = await get("/creds");
      expect([status, body.message]).toEqual([503, expect.stringContaining(`could not reach 127.0.0.1:${port} (`)]);
      pass(5000);
    }
  });
  test("and was refused after a failed connection says what to run", async () => {
    const { sso, login, get, pass } = startSso();
    login("access-old", -1000, REFRESH);
    sso.oidcFailure = { status: 503 };
    expect((await get("/creds")).status).toBe(503);
    login("access-other", -1000);
    pass(1000);
    const { status, body } = await get("/creds");
    expect([status, body.message]).toEqual([400, expect.stringContaining(LOGIN)]);
  });
});

describe("SSO that cannot answer now is 503, which is not an expired login:", () => {
  for (const [status, type, said] of [
    [429, "TooManyRequestsException", "was throttled by AWS (TooManyRequestsException)"],
    [429, "LimitExceededException", "was throttled by AWS (TooManyRequestsException)"],
    [429, undefined, "was throttled by AWS (TooManyRequestsException)"],
    [500, "InternalServerException:http://internal.amazon.com/", "failed at AWS (InternalServerException, status 500)"],
    [503, undefined, "failed at AWS (InternalFailure, status 503)"],
    [400, "SlowDownException", "was throttled by AWS (SlowDownException)"],
  ] as const) {
    for (const [service, form, lifeMs] of [
      ["portal", "session", HOUR_MS],
      ["portal", "legacy", HOUR_MS],
      ["oidc", "session", -1000],
    ] as const) {
      test(`the ${service} of the form ${form} that says ${status} ${type ?? ""}`, async () => {
        const { sso, login, get, pass } = startSso(form);
        login("access-0", lifeMs, REFRESH);
        sso[`${service}Failure`] = { status, ...(type && { type }) };
        for (let asked = 0; asked < 2; asked += 1) {
          const { status: answered, body } = await settled(get, "/creds");
          expect([answered, body.message]).toEqual([503, expect.stringContaining(said)]);
          pass(5000);
        }
      });
    }
  }
});

test("an sso-session that was missing is used once it is written", async () => {
  const { HOME, session, login, get, pass } = startSso();
  login("access-0", HOUR_MS);
  const config = join(HOME, ".aws", "config");
  const whole = readFileSync(config, "utf8");
  writeFileSync(config, whole.replace(`[sso-session ${session}]`, "[sso-session other]"));
  expect((await get("/creds")).body.message).toContain(
    `profile 'dev' has sso_session = ${session}, which ${config} does`,
  );
  writeFileSync(config, whole);
  pass(1000);
  expect((await get("/creds")).status).toBe(200);
});

test("a role on top of a profile of SSO is assumed with it, and names its login", async () => {
  const { HOME, login } = startSso();
  const config = join(HOME, ".aws", "config");
  const top = "[profile top]\nrole_arn = arn:aws:iam::111122223333:role/app\nsource_profile = dev\n";
  writeFileSync(config, top + readFileSync(config, "utf8"));
  const aws = startFake();
  const { get: getTop } = online(aws, { HOME, AWS_PROFILE: "top" });
  expect((await getTop("/creds")).body.message).toContain(LOGIN);
  login("access-0", HOUR_MS);
  await Bun.sleep(1000);
  expect((await getTop("/creds")).status).toBe(200);
  expect(aws.requests[0]?.authorization).toContain("Credential=ASIAFAKE1/");
});
