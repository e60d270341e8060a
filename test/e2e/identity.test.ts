import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startBinary } from "../support/binary.ts";
import { endAll, home, ROLE_ARN, startFake, startIdentity } from "../support/credential-server.ts";

afterEach(endAll);

const ENGINE = { DOCKER_HOST: "unix:///nonexistent.sock" };
const PROCESS =
  '{"Version":1,"AccessKeyId":"ASIAPROC","SecretAccessKey":"s","SessionToken":"t","Expiration":"2090-01-01T00:00:00Z"}';
const BASE = "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n";

/** Asks the compiled program, until what its cold path fetched is there. */
async function creds(env: Record<string, string>, by?: string[]) {
  const server = await startBinary({ ...ENGINE, ...env }, by ? { by } : {});
  let answer: Response;
  do answer = await server.get("/creds");
  while (answer.status === 503 && (await Bun.sleep(50)) === undefined);
  const body = (await answer.json()) as Record<string, string>;
  await Bun.sleep(300);
  await server.stop();
  return { status: answer.status, body, log: server.log() };
}

describe("the compiled program takes", () => {
  test("an SSO session, refreshes its token and rewrites the file", async () => {
    const [sso, aws] = [startIdentity(), startFake()];
    const config =
      "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Dev\n[sso-session corp]\nsso_start_url = https://corp.test\nsso_region = us-east-1\n";
    const HOME = home({ config });
    const cache = join(HOME, ".aws", "sso", "cache");
    mkdirSync(cache, { recursive: true });
    const file = join(cache, `${new Bun.CryptoHasher("sha1").update("corp").digest("hex")}.json`);
    const refresh = { clientId: "c", clientSecret: "s", refreshToken: "refresh-0" };
    writeFileSync(file, JSON.stringify({ accessToken: "old", expiresAt: "2020-01-01T00:00:00Z", ...refresh }));
    const urls = { AWS_ENDPOINT_URL_SSO: sso.url, AWS_ENDPOINT_URL_SSO_OIDC: sso.url, STS_ENDPOINT: aws.url };
    const { body, log } = await creds({ HOME, AWS_PROFILE: "dev", ...urls });
    expect(body.Token).toMatch(/^given-/);
    expect(JSON.parse(readFileSync(file, "utf8")).accessToken).toBe("access-1");
    expect(log).toMatch(
      /credentials are returned for this identity identity=arn:aws:iam::111122223333:user\/dev origin="profile 'dev'" expiration=\d{4}-/,
    );
    expect(log).not.toMatch(/access-1|refresh-|given-|secret-/);
  });
  for (const [title, config, token] of [
    ["a role with source_profile", `role_arn = ${ROLE_ARN}\nsource_profile = base`, "token-1"],
    ["a web identity", `role_arn = ${ROLE_ARN}\nweb_identity_token_file = HOME/.aws/token`, "token-1"],
    ["a credential_process", "credential_process = cat HOME/.aws/process | cat", "t"],
  ] as const) {
    test(title, async () => {
      const aws = startFake();
      const HOME = home({ credentials: BASE, token: "jwt", process: PROCESS });
      writeFileSync(join(HOME, ".aws", "config"), `[profile dev]\n${config.replace("HOME", HOME)}\n`);
      const { body } = await creds({ HOME, AWS_PROFILE: "dev", STS_ENDPOINT: aws.url });
      expect(body.Token).toBe(token);
    });
  }
  test("the container's credentials and the instance's", async () => {
    const [machine, aws] = [startIdentity(), startFake()];
    const env = { HOME: home({}), STS_ENDPOINT: aws.url };
    const container = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${machine.url}/container` };
    expect((await creds({ ...env, ...container })).body.Token).toMatch(/^given-/);
    expect((await creds({ ...env, AWS_EC2_METADATA_SERVICE_ENDPOINT: machine.url })).body.Token).toMatch(/^given-/);
    expect(machine.calls).toMatchObject({ container: 1, "imds-token": 1 });
  });
});

test("without an identity it says at start what was tried, and what to run", async () => {
  const { status, log } = await creds({ HOME: home({}), AWS_EC2_METADATA_DISABLED: "true" });
  expect(status).toBe(400);
  expect(log).toMatch(
    /there are no credentials to return yet code=no-identity cause="no AWS identity: tried .* hint="set AWS_PROFILE/,
  );
});

/** Hides every program but ours, as in an image that is made from scratch. */
const WITHOUT_PROGRAMS = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$(realpath /bin)" && exec "$0" "$@"'];
const canHide = Bun.spawnSync([...WITHOUT_PROGRAMS, process.execPath, "--version"]).exitCode === 0;
const noShell = "without a shell, credential_process says so and what to use instead";
test.skipIf(!canHide)(`${noShell}${canHide ? "" : " (skipped: may not mount)"}`, async () => {
  const HOME = home({ config: "[profile dev]\ncredential_process = cat /etc/hostname\n" });
  const { status, body } = await creds({ HOME, AWS_PROFILE: "dev" }, WITHOUT_PROGRAMS);
  expect(status).toBe(400);
  expect(body.message).toContain("profile 'dev': its credential_process needs /bin/sh, which is not here");
  expect(body.message).toContain("aws configure export-credentials --profile dev --format env-no-export");
});
