import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { endAll, home, online, ROLE_ARN, startFake, startIdentity } from "../support/credential-server.ts";

afterEach(endAll);

const BASE = "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n";
const role = (name: string, lines: string): string => `[profile ${name}]\nrole_arn = ${ROLE_ARN}-${name}\n${lines}\n`;
const signer = (authorization = ""): string | undefined => /Credential=(\w+)/.exec(authorization)?.[1];

describe("a role of a profile", () => {
  test("is assumed with external_id, duration_seconds and role_session_name, in the profile's region", async () => {
    const aws = startFake();
    const lines =
      "source_profile = base\nexternal_id = e-1\nduration_seconds = 7200\nrole_session_name = me\nregion = eu-west-3";
    const HOME = home({ config: role("dev", lines), credentials: BASE });
    expect((await online(aws, { HOME, AWS_PROFILE: "dev" }).get("/creds")).status).toBe(200);
    const [asked] = aws.requests;
    expect(Object.fromEntries(asked?.params ?? [])).toMatchObject({
      Action: "AssumeRole",
      RoleArn: `${ROLE_ARN}-dev`,
      ExternalId: "e-1",
      DurationSeconds: "7200",
      RoleSessionName: "me",
    });
    expect(asked?.authorization).toContain("/eu-west-3/sts/");
  });
  test("is assumed through every role of its chain, each with the keys of the one before", async () => {
    const aws = startFake();
    const config =
      role("a", "source_profile = b") + role("b", "source_profile = c") + role("c", "source_profile = base");
    const { get } = online(aws, { HOME: home({ config, credentials: BASE }), AWS_PROFILE: "a" });
    expect((await get("/creds")).body).toMatchObject({ Token: "token-3" });
    expect(aws.requests.map(({ params }) => params.get("RoleArn")?.slice(-2))).toEqual(["-c", "-b", "-a"]);
    const signers = aws.requests.map(({ authorization }) => signer(authorization));
    expect(signers[0]).toBe("AKIABASE");
    expect(signers[1]).toMatch(/^ASIA.*1$/);
    expect(signers[2]).toMatch(/^ASIA.*2$/);
  });
  test("may have itself as its source, for its keys", async () => {
    const aws = startFake();
    const config = role("me", "source_profile = me\naws_access_key_id = AKIAME\naws_secret_access_key = s");
    expect((await online(aws, { HOME: home({ config }), AWS_PROFILE: "me" }).get("/creds")).status).toBe(200);
    expect(signer(aws.requests[0]?.authorization)).toBe("AKIAME");
  });
  test("is assumed with a web identity token of the profile", async () => {
    const aws = startFake();
    const HOME = home({ token: "jwt-of-the-profile" });
    const config = role("web", `web_identity_token_file = ${join(HOME, ".aws", "token")}`);
    await Bun.write(join(HOME, ".aws", "config"), config);
    expect((await online(aws, { HOME, AWS_PROFILE: "web" }).get("/creds")).status).toBe(200);
    expect(aws.calls).toEqual({ AssumeRoleWithWebIdentity: 1 });
    expect(aws.requests[0]?.params.get("WebIdentityToken")).toBe("jwt-of-the-profile");
  });
});

describe("credential_source", () => {
  const env = (source: string) => ({
    HOME: home({ config: role("dev", `credential_source = ${source}`) }),
    AWS_PROFILE: "dev",
  });

  test("Environment takes the keys of the environment for the profile's role", async () => {
    const aws = startFake();
    const keys = { AWS_ACCESS_KEY_ID: "AKIAENV", AWS_SECRET_ACCESS_KEY: "s" };
    expect((await online(aws, { ...env("Environment"), ...keys }).get("/creds")).status).toBe(200);
    expect(aws.requests[0]?.params.get("RoleArn")).toBe(`${ROLE_ARN}-dev`);
    expect(signer(aws.requests[0]?.authorization)).toBe("AKIAENV");
  });
  test("EcsContainer takes the container's", async () => {
    const [aws, machine] = [startFake(), startIdentity()];
    const uri = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${machine.url}/container` };
    expect((await online(aws, { ...env("EcsContainer"), ...uri }).get("/creds")).status).toBe(200);
    expect(signer(aws.requests[0]?.authorization)).toBe("ASIAFAKE1");
  });
  test("Ec2InstanceMetadata takes the instance's, by IMDSv2", async () => {
    const [aws, machine] = [startFake(), startIdentity()];
    const service = { AWS_EC2_METADATA_SERVICE_ENDPOINT: machine.url };
    expect((await online(aws, { ...env("Ec2InstanceMetadata"), ...service }).get("/creds")).status).toBe(200);
    expect(signer(aws.requests[0]?.authorization)).toBe("ASIAFAKE1");
    expect(machine.calls).toEqual({ "imds-token": 1, imds: 2 });
  });
  for (const [source, said] of [
    ["Environment", "profile 'dev' has credential_source = Environment, which has no keys"],
    ["EcsContainer", "no AWS_CONTAINER_CREDENTIALS_* variable says where to ask"],
    ["Ec2InstanceMetadata", "and there is none: instance metadata, which AWS_EC2_METADATA_DISABLED turns off"],
    ["Magic", "profile 'dev' has credential_source = Magic; give Environment, EcsContainer or"],
  ] as const) {
    test(`${source}, where there is none, says so`, async () => {
      const { get } = online(startFake(), { ...env(source), AWS_EC2_METADATA_DISABLED: "true" });
      expect(await get("/creds")).toMatchObject({ status: 400, body: { message: expect.stringContaining(said) } });
    });
  }
});

describe("a profile that fails is an error, and no other source is used", () => {
  const arn = "arn:aws:iam::111122223333:mfa/me";
  for (const [title, profile, said] of [
    ["an MFA code", `source_profile = base\nmfa_serial = ${arn}`, `needs an MFA code (mfa_serial = ${arn})`],
    [
      "the command for a session",
      `source_profile = base\nmfa_serial = ${arn}`,
      `run: aws sts get-session-token --serial-number ${arn} --token-code <code> --profile base`,
    ],
    [
      "the way without MFA",
      `source_profile = base\nmfa_serial = ${arn}`,
      "or set AWS_PROFILE to a profile without MFA, such as one of SSO",
    ],
    ["a source that is none", "source_profile = bsae", "profile 'dev' has source_profile = bsae, which is not in"],
    ["a circle", "source_profile = dev", "profile 'dev' closes a circle of source_profile: dev"],
    [
      "two sources",
      "source_profile = base\ncredential_source = Environment",
      "has both source_profile and credential_source",
    ],
    ["no source", "region = eu-west-1", "has role_arn without source_profile, credential_source or"],
    [
      "a duration",
      "source_profile = base\nduration_seconds = 1h",
      "has duration_seconds = 1h; give whole seconds from 900",
    ],
    [
      "a token that is missing",
      "web_identity_token_file = /nonexistent/token",
      "check web_identity_token_file and role_arn of profile 'dev'",
    ],
  ] as const) {
    test(`${title}`, async () => {
      const [aws, machine] = [startFake(), startIdentity()];
      const HOME = home({ config: role("dev", profile), credentials: BASE });
      const others = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${machine.url}/container` };
      const { get } = online(aws, { HOME, AWS_PROFILE: "dev", ...others });
      expect(await get("/creds")).toMatchObject({ status: 400, body: { message: expect.stringContaining(said) } });
      expect([aws.calls, machine.calls]).toEqual([{}, {}]);
    });
  }
  test("a role that is refused names its profile", async () => {
    const aws = startFake();
    aws.failures.AssumeRole = { code: "AccessDenied", status: 403, message: "not authorized" };
    const HOME = home({ config: role("dev", "source_profile = base"), credentials: BASE });
    const { status, body } = await online(aws, { HOME, AWS_PROFILE: "dev" }).get("/creds");
    expect(status).toBe(400);
    expect(body.message).toContain(`sts:AssumeRole of ${ROLE_ARN}-dev for profile 'dev' failed (AccessDenied`);
  });
});

test("a profile of SSO without an account or a role says what it lacks", async () => {
  const HOME = home({ config: "[profile dev]\nsso_session = c\n[sso-session c]\nsso_region = us-east-1\n" });
  const { body } = await online(startFake(), { HOME, AWS_PROFILE: "dev" }).get("/creds");
  expect(body.message).toBe(
    "profile 'dev' lacks sso_account_id and sso_role_name; run: aws configure sso --profile dev",
  );
});

test("a web identity of the environment without its role says so", async () => {
  const aws = startFake();
  const { body } = await online(aws, { HOME: home({}), AWS_WEB_IDENTITY_TOKEN_FILE: "/nonexistent" }).get("/creds");
  expect(body.message).toContain("AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN; set AWS_ROLE_ARN");
  expect(aws.calls).toEqual({});
});

test("AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE say where the files are, ~ is the home", async () => {
  const aws = startFake();
  const HOME = home({ other: BASE, conf: role("dev", "source_profile = base") });
  const files = { AWS_CONFIG_FILE: "~/.aws/conf", AWS_SHARED_CREDENTIALS_FILE: join(HOME, ".aws", "other") };
  expect((await online(aws, { HOME, AWS_PROFILE: "dev", ...files }).get("/creds")).status).toBe(200);
  expect(signer(aws.requests[0]?.authorization)).toBe("AKIABASE");
  const { body } = await online(aws, { HOME, AWS_PROFILE: "dev" }).get("/creds");
  expect(body.message).toContain(
    `which is not in ${HOME}/.aws/config (missing) and ${HOME}/.aws/credentials (missing)`,
  );
});

describe("a profile in a form that AWS's tools read", () => {
  for (const [title, env, files, key] of [
    [
      "behind a header with a comment",
      {},
      {
        credentials:
          "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = s\n[prod]#careful\naws_access_key_id = AKIAPROD\naws_secret_access_key = s\n",
      },
      "AKIADEFAULT",
    ],
    [
      "with spaces, and keys in upper case",
      { AWS_PROFILE: "my dev" },
      { credentials: "[my dev]\nAWS_ACCESS_KEY_ID: AKIADEV\nAWS_SECRET_ACCESS_KEY: s\n" },
      "AKIADEV",
    ],
    [
      "whose source has a space",
      { AWS_PROFILE: "müller" },
      {
        config: `[profile müller]\nRole_Arn = ${ROLE_ARN}\nsource_profile = my base\n`,
        credentials: "[my base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n",
      },
      "AKIABASE",
    ],
  ] as const) {
    test(title, async () => {
      const aws = startFake();
      expect((await online(aws, { HOME: home(files), ...env }).get("/creds")).status).toBe(200);
      expect(signer(aws.requests[0]?.authorization)).toBe(key);
    });
  }
  test("named by AWS_DEFAULT_PROFILE, unless AWS_PROFILE names another", async () => {
    const section = (name: string) => `[${name}]\naws_access_key_id = AKIA${name}\naws_secret_access_key = s\n`;
    const HOME = home({ credentials: section("default") + section("ONE") + section("TWO") });
    for (const [env, key] of [
      [{ AWS_DEFAULT_PROFILE: "ONE" }, "AKIAONE"],
      [{ AWS_DEFAULT_PROFILE: "ONE", AWS_PROFILE: "TWO" }, "AKIATWO"],
    ] as const) {
      const aws = startFake();
      expect((await online(aws, { HOME, ...env }).get("/creds")).status).toBe(200);
      expect(signer(aws.requests[0]?.authorization)).toBe(key);
    }
    const { body } = await online(startFake(), { HOME, AWS_DEFAULT_PROFILE: "THREE" }).get("/creds");
    expect(body.message).toMatch(/^AWS_DEFAULT_PROFILE is 'THREE', which is not in .*; they name: default, ONE, TWO;/);
  });
  test("the keys of the environment have the reference's other names, too", async () => {
    const aws = startFake();
    const env = { HOME: home({}), AWS_ACCESS_KEY: "AKIAOTHER", AWS_SECRET_KEY: "s" };
    expect((await online(aws, env).get("/creds")).status).toBe(200);
    expect(signer(aws.requests[0]?.authorization)).toBe("AKIAOTHER");
  });
  test("that is broken is an error with the file and the line", async () => {
    const HOME = home({ credentials: "[default]\naws_access_key_id = AKIA\nhunter2\n" });
    const { status, body } = await online(startFake(), { HOME }).get("/creds");
    const path = join(HOME, ".aws", "credentials");
    const text = `the AWS file ${path} cannot be read: line 3 is neither a section nor key = value; correct or remove that line`;
    expect([status, body.message]).toEqual([400, text]);
  });
});
