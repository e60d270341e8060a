import { afterEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { endAll, home, KEYS, online, startFake, startIdentity } from "../support/credential-server.ts";

afterEach(endAll);

const KEYED = "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n";

const WHOLE = { AccessKeyId: "ASIA", SecretAccessKey: "s", Token: "t", Expiration: "2090-01-01T00:00:00Z" };

describe("the container's credentials", () => {
  test("are the identity where nothing else is configured, with the token of a file that may change", async () => {
    const machine = startIdentity();
    machine.containerToken = "one";
    const HOME = home({ token: "one" });
    const path = join(HOME, ".aws", "token");
    const uri = `${machine.url}/container?a=b`;
    let at = Date.now();
    const env = { HOME, AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: path };
    const { get } = online(startFake(), env, () => at);
    expect((await get("/creds")).body).toMatchObject({ AccessKeyId: "ASIAFAKE1" });
    writeFileSync(path, "number two");
    machine.containerToken = "number two";
    at += 1000;
    expect((await get("/creds")).body).toMatchObject({ AccessKeyId: "ASIAFAKE2" });
  });
  test("are asked for with the token of the environment", async () => {
    const machine = startIdentity();
    machine.containerToken = "given";
    const env = { HOME: home({}), AWS_CONTAINER_CREDENTIALS_FULL_URI: `${machine.url}/container` };
    const token = { AWS_CONTAINER_AUTHORIZATION_TOKEN: "given" };
    expect((await online(startFake(), { ...env, ...token }).get("/creds")).status).toBe(200);
    const { status, body } = await online(startFake(), env).get("/creds");
    expect([status, body.message]).toEqual([400, expect.stringContaining("AccessDenied the token is not the one")]);
  });
  for (const [title, env] of [
    ["keys of the environment", KEYS],
    ["a profile 'default'", { HOME: "keyed" }],
    ["a profile that is none", { AWS_PROFILE: "dve" }],
    [
      "a web identity that fails",
      { AWS_WEB_IDENTITY_TOKEN_FILE: "/nonexistent/token", AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/a" },
    ],
  ] as const) {
    test(`are not asked for beside ${title}`, async () => {
      const machine = startIdentity();
      const HOME = home("HOME" in env && env.HOME === "keyed" ? { credentials: KEYED } : {});
      const uri = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${machine.url}/container` };
      await online(startFake(), { ...env, ...uri, HOME }).get("/creds");
      expect(machine.calls).toEqual({});
    });
  }
  for (const [title, config, asked] of [
    [
      "has nothing but settings",
      "region = eu-west-1\noutput = json\ncli_pager =\ns3 =\n  max_concurrent_requests = 3",
      true,
    ],
    ["has a mistyped key", "region = eu-west-1\naws_acess_key_id = AKIA", false],
    ["has half of a key", "region = eu-west-1\naws_access_key_id = AKIA", false],
    ["has a role", "role_arn = arn:aws:iam::111122223333:role/a", false],
  ] as const) {
    test(`are ${asked ? "" : "not "}asked for where the profile 'default' ${title}`, async () => {
      const machine = startIdentity();
      const uri = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${machine.url}/container` };
      const { get } = online(startFake(), { HOME: home({ config: `[default]\n${config}\n` }), ...uri });
      expect((await get("/creds")).status).toBe(asked ? 200 : 400);
      expect(machine.calls).toEqual(asked ? { container: 1 } : {});
    });
  }
  for (const [title, uri, answer, status, said] of [
    [
      "no URL",
      "creds",
      undefined,
      400,
      "FULL_URI is not a URL of http or https; correct AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ],
    [
      "a host that the SDK refuses",
      "http://example.com/creds",
      undefined,
      400,
      "is not accepted: without https it must be loopback, 169.254.170.2",
    ],
    ["an error", "/container", { status: 500, body: "" }, 503, "did not answer (Server responded with status: 500)"],
    ["something else", "/container", { status: 200, body: "<html>" }, 400, "answered no credentials"],
    ["half a set", "/container", { status: 200, body: '{"AccessKeyId":"ASIA"}' }, 400, "answered no credentials"],
    ...[
      { AccessKeyId: "" },
      { SecretAccessKey: "" },
      { Token: "" },
      { Token: {} },
      { Expiration: "soon" },
      { Expiration: "+012345-01-01T00:00:00Z" },
    ].map((wrong) => {
      const body = JSON.stringify({ ...WHOLE, ...wrong });
      const title = `a set with ${JSON.stringify(wrong)}`;
      return [title, "/container", { status: 200, body }, 400, "answered no credentials"] as const;
    }),
    ["nothing at its path", "/other", undefined, 400, "gave no credentials (Server responded with status: 404)"],
  ] as const) {
    test(`from ${title} are an error that says so`, async () => {
      const machine = startIdentity();
      machine.containerAnswer = answer;
      const full = uri.startsWith("/") ? machine.url + uri : uri;
      const env = { HOME: home({}), AWS_CONTAINER_CREDENTIALS_FULL_URI: full };
      expect(await online(startFake(), env).get("/creds")).toMatchObject({
        status,
        body: { message: expect.stringContaining(said) },
      });
    });
  }
  test("whose server does not run are 503", async () => {
    const env = { HOME: home({}), AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://127.0.0.1:1/container" };
    expect(await online(startFake(), env).get("/creds")).toMatchObject({
      status: 503,
      body: {
        message: expect.stringMatching(
          /container' could not reach 127.0.0.1:1 \(ECONNREFUSED\); correct AWS_CONTAINER/,
        ),
      },
    });
  });
  test("whose server never answers are 503, and asked for again", async () => {
    let asked = 0;
    const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { open: () => void asked++, data() {} } });
    const env = { HOME: home({}), AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${silent.port}/creds` };
    let at = Date.now();
    const { get } = online(startFake(), env, () => at);
    expect((await get("/creds")).body.message).toContain("still fetching");
    await Bun.sleep(1300);
    expect((await get("/creds")).body.message).toContain("did not answer (no answer in time)");
    at += 5000;
    await get("/creds");
    expect(asked).toBe(2);
    silent.stop(true);
  });
  test("whose token file is missing name it", async () => {
    const machine = startIdentity();
    const env = { HOME: home({}), AWS_CONTAINER_CREDENTIALS_FULL_URI: `${machine.url}/container` };
    const token = { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/nonexistent/token" };
    const { body } = await online(startFake(), { ...env, ...token }).get("/creds");
    expect(body.message).toContain("needs AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE '/nonexistent/token' (ENOENT)");
  });
});

describe("the instance's credentials", () => {
  test("are the identity where nothing else is, by IMDSv2", async () => {
    const machine = startIdentity();
    const { get } = online(startFake(), { HOME: home({}), AWS_EC2_METADATA_SERVICE_ENDPOINT: machine.url });
    expect((await get("/creds")).body).toMatchObject({ AccessKeyId: "ASIAFAKE1" });
    expect(machine.calls).toEqual({ "imds-token": 1, imds: 2 });
  });
  test("that have ended are refused", async () => {
    const machine = startIdentity();
    machine.lifeMs = -86_400_000;
    const { status, body } = await online(startFake(), {
      HOME: home({}),
      AWS_EC2_METADATA_SERVICE_ENDPOINT: machine.url,
    }).get("/creds");
    const said = "the credentials of the instance's role expired at ";
    expect([status, body.message]).toEqual([400, expect.stringContaining(said)]);
  });
  test("are not asked for where AWS_EC2_METADATA_DISABLED is set", async () => {
    const machine = startIdentity();
    const { get } = online(startFake(), {
      HOME: home({}),
      AWS_EC2_METADATA_SERVICE_ENDPOINT: machine.url,
      AWS_EC2_METADATA_DISABLED: "true",
    });
    expect(await get("/creds")).toMatchObject({ status: 400, body: { code: "NoCredentials" } });
    expect(machine.calls).toEqual({});
  });
  test("of a service that never answers are given up before a client's second, and not asked for again for a minute", async () => {
    let asked = 0;
    const silent = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { open: () => void asked++, data() {} },
    });
    let at = Date.now();
    const env = { HOME: home({}), AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${silent.port}` };
    const { get } = online(startFake(), env, () => at);
    const first = await get("/creds");
    expect([first.status, first.body.message]).toEqual([400, expect.stringContaining("instance metadata (")]);
    await Bun.sleep(300);
    const before = asked;
    at += 59_000;
    const began = performance.now();
    expect((await get("/creds")).status).toBe(400);
    expect(performance.now() - began).toBeLessThan(300);
    expect(asked).toBe(before);
    at += 6_000;
    await get("/creds");
    expect(asked).toBeGreaterThan(before);
    silent.stop(true);
  });
  test("are not asked for in place of the container's that failed", async () => {
    const machine = startIdentity();
    machine.containerAnswer = { status: 404, body: "" };
    const env = {
      HOME: home({}),
      AWS_EC2_METADATA_SERVICE_ENDPOINT: machine.url,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${machine.url}/container`,
    };
    expect((await online(startFake(), env).get("/creds")).status).toBe(400);
    expect(machine.calls).toEqual({ container: 1 });
  });
});
