import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { endAll, home, KEYS, online, ROLE_ARN, startFake } from "../support/credential-server.ts";

afterEach(endAll);

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
    const config = `[default]\ncredential_process = cat ${folder}/given.json\n[profile bad]\ncredential_process = sh -c "echo hunter2 >&2; exit 1"\n`;
    writeFileSync(join(folder, ".aws", "config"), config);
    expect((await online(aws, { HOME: folder }).get("/creds")).body).toMatchObject({ AccessKeyId: "ASIAPROC" });
    const { get, lines } = online(aws, { HOME: folder, AWS_PROFILE: "bad" });
    const bad = await get("/creds");
    expect([bad.status, bad.body.message]).toEqual([
      400,
      "profile 'bad': its credential_process failed (exit code 1); run the credential_process of profile 'bad' by hand",
    ]);
    expect(lines.join()).toContain("exit code 1");
    expect(lines.join()).not.toContain("hunter2");
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
      const script = `const { createOnlineSource } = await import(${JSON.stringify(join(import.meta.dir, "../../src/aws/lazy-source.ts"))});
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
    expect(await run()).toMatch(/^upstream-unavailable: the use of profile 'dev' could not reach 127/);
    rmSync(token);
    expect(await run()).toMatch(/^identity-failed: .*run: aws sso login --profile dev/);
  });
  test("a mistyped profile names those there are; none at all says what was tried", async () => {
    const aws = startFake();
    const HOME = home({
      config: "[sso-session corp]\nsso_region = x\n[profile dev]\nregion = eu-west-1\n[profile prod]\nregion = x\n",
    });
    const wrong = await online(aws, { HOME, AWS_PROFILE: "dve" }).get("/creds");
    expect([wrong.status, wrong.body.message]).toEqual([400, expect.stringContaining("they name: dev, prod")]);
    const none = await online(aws, { HOME: home({}), AWS_EC2_METADATA_DISABLED: "true" }).get("/creds");
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
