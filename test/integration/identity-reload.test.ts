import { afterEach, describe, expect, test } from "bun:test";
import { renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endAll, home, KEYS, online, ROLE_ARN, startFake } from "../support/credential-server.ts";

afterEach(endAll);

const keyed = (id: string, profile = "default"): string =>
  `[${profile}]\naws_access_key_id = ${id}\naws_secret_access_key = s\n`;

/** The identity asked as, of every request of STS so far. */
function start(env: Record<string, string>) {
  const aws = startFake();
  let at = Date.now();
  const { get } = online(aws, env, () => at);
  return {
    aws,
    get,
    pass: (ms: number): void => {
      at += ms;
    },
    signers: () => aws.requests.map(({ authorization }) => /Credential=(\w+)/.exec(authorization)?.[1]),
  };
}

describe("the next request uses, within a second and without a restart,", () => {
  test("an edited key, for /creds and for a role that was cached", async () => {
    const HOME = home({ credentials: keyed("AKIAONE") });
    const { get, pass, signers } = start({ HOME });
    await get("/creds");
    await get(`/role-arn/${ROLE_ARN}`);
    writeFileSync(join(HOME, ".aws", "credentials"), keyed("AKIATWO"));
    pass(999);
    await get("/creds");
    expect(signers()).toEqual(["AKIAONE", "AKIAONE"]);
    pass(1);
    await get("/creds");
    await get(`/role-arn/${ROLE_ARN}`);
    expect(signers().slice(2)).toEqual(["AKIATWO", "AKIATWO"]);
  });
  test("a file that was put in the place of another of the same size and time", async () => {
    const HOME = home({ credentials: keyed("AKIAONE"), other: keyed("AKIATWO") });
    const path = join(HOME, ".aws", "credentials");
    const time = new Date(Date.now() - 60_000);
    utimesSync(path, time, time);
    utimesSync(join(HOME, ".aws", "other"), time, time);
    const { get, pass, signers } = start({ HOME });
    await get("/creds");
    renameSync(join(HOME, ".aws", "other"), path);
    pass(1000);
    await get("/creds");
    expect(signers()).toEqual(["AKIAONE", "AKIATWO"]);
  });
  test("a link that leads elsewhere", async () => {
    const HOME = home({ one: keyed("AKIAONE"), two: keyed("AKIATWO") });
    const path = join(HOME, ".aws", "credentials");
    symlinkSync("one", path);
    const { get, pass, signers } = start({ HOME });
    await get("/creds");
    rmSync(path);
    symlinkSync("two", path);
    pass(1000);
    await get("/creds");
    expect(signers()).toEqual(["AKIAONE", "AKIATWO"]);
  });
  for (const [title, env] of [
    [
      "the environment",
      (HOME: string) => ({ AWS_WEB_IDENTITY_TOKEN_FILE: join(HOME, ".aws", "token"), AWS_ROLE_ARN: ROLE_ARN }),
    ],
    ["a profile", () => ({ AWS_PROFILE: "web" })],
  ] as const) {
    test(`a web identity token that was rotated, of ${title}`, async () => {
      const HOME = home({ token: "jwt-1" });
      const token = join(HOME, ".aws", "token");
      const config = `[profile web]\nrole_arn = ${ROLE_ARN}\nweb_identity_token_file = ${token}\n`;
      writeFileSync(join(HOME, ".aws", "config"), config);
      const { aws, get, pass } = start({ HOME, ...env(HOME) });
      await get("/creds");
      writeFileSync(token, "jwt-2 is longer");
      pass(1000);
      await get("/creds");
      expect(aws.requests.map(({ params }) => params.get("WebIdentityToken"))).toEqual(["jwt-1", "jwt-2 is longer"]);
    });
  }
  test("a profile that was missing, and had failed a moment ago", async () => {
    const HOME = home({});
    const { get, pass } = start({ HOME, AWS_PROFILE: "dev" });
    expect((await get("/creds")).status).toBe(400);
    writeFileSync(join(HOME, ".aws", "credentials"), keyed("AKIADEV", "dev"));
    pass(1000);
    expect((await get("/creds")).status).toBe(200);
  });
});

test("keys of the environment cannot change while the server runs, and the error says so", async () => {
  const { aws, get } = start(KEYS);
  aws.failures.GetSessionToken = { code: "InvalidClientTokenId", status: 403 };
  const { body } = await get("/creds");
  expect(body.message).toMatch(
    /renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN and restart the server$/,
  );
});

test("without a change there is no new call", async () => {
  const { get, pass, signers } = start({ HOME: home({ credentials: keyed("AKIAONE") }) });
  for (let second = 0; second < 20; second += 1) {
    await get("/creds");
    pass(1000);
  }
  expect(signers()).toEqual(["AKIAONE"]);
});
