import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { configured, endAll, home, KEYS, ROLE_ARN, startFake } from "../support/credential-server.ts";

beforeAll(() => import("../../src/aws/source.ts"));
afterEach(endAll);

const PAIRS: readonly (readonly [sts: string, iam: string])[] = [
  ["STS_ENDPOINT", "IAM_ENDPOINT"],
  ["STS_CUSTOM_ENDPOINT", "IAM_CUSTOM_ENDPOINT"],
  ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM"],
];

describe("custom endpoints", () => {
  for (const [stsName, iamName] of PAIRS) {
    test(`${stsName} and ${iamName} are where STS and IAM are asked`, async () => {
      const sts = startFake();
      const iam = startFake();
      sts.paths.app = iam.paths.app = "/team/";
      const { get } = configured({ ...KEYS, [stsName]: sts.url, [iamName]: iam.url });
      expect((await get("/creds")).status).toBe(200);
      expect((await get("/role/app")).body.RoleArn).toBe(ROLE_ARN);
      expect(sts.calls).toEqual({ GetSessionToken: 1, GetCallerIdentity: 1, AssumeRole: 2 });
      expect(iam.calls).toEqual({ GetRole: 1 });
    });
  }
  test("AWS_ENDPOINT_URL is for both, and a service's own variable wins", async () => {
    const both = startFake();
    const own = startFake();
    both.paths.app = own.paths.app = "/team/";
    const { get } = configured({ ...KEYS, AWS_ENDPOINT_URL: both.url, STS_ENDPOINT: own.url });
    expect((await get("/role/app")).status).toBe(200);
    expect([own.calls, both.calls]).toEqual([{ GetCallerIdentity: 1, AssumeRole: 2 }, { GetRole: 1 }]);
  });
});

describe("the STS that a provider asks for itself is the custom one", () => {
  const credentials = "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n";
  test("for a profile with role_arn", async () => {
    const sts = startFake();
    const config = `[profile dev]\nrole_arn = ${ROLE_ARN}\nsource_profile = base\n`;
    const env = { HOME: home({ config, credentials }), AWS_PROFILE: "dev", STS_ENDPOINT: sts.url };
    expect((await configured(env).get("/creds")).status).toBe(200);
    expect(sts.calls).toEqual({ AssumeRole: 1 });
  });
  test("for a profile with a web identity", async () => {
    const sts = startFake();
    const HOME = home({ token: "jwt" });
    const config = `[profile dev]\nrole_arn = ${ROLE_ARN}\nweb_identity_token_file = ${join(HOME, ".aws", "token")}\n`;
    await Bun.write(join(HOME, ".aws", "config"), config);
    const env = { HOME, AWS_PROFILE: "dev", STS_CUSTOM_ENDPOINT: sts.url };
    expect((await configured(env).get("/creds")).status).toBe(200);
    expect(sts.calls).toEqual({ AssumeRoleWithWebIdentity: 1 });
  });
  test("for a web identity of the environment", async () => {
    const sts = startFake();
    const HOME = home({ token: "jwt" });
    const token = join(HOME, ".aws", "token");
    const env = { HOME, AWS_WEB_IDENTITY_TOKEN_FILE: token, AWS_ROLE_ARN: ROLE_ARN, AWS_ENDPOINT_URL_STS: sts.url };
    expect((await configured(env).get("/creds")).status).toBe(200);
    expect(sts.calls).toEqual({ AssumeRoleWithWebIdentity: 1 });
  });
});
