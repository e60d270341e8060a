import { afterEach, describe, expect, test } from "bun:test";
import { fromContainerMetadata, fromHttp } from "@aws-sdk/credential-providers";
import { createOfflineSource } from "../../src/aws/offline.ts";
import { endAll, KEYS, online, ROLE_ARN, serve, setVariable, startFake } from "../support/credential-server.ts";
import { ask } from "../support/raw-http.ts";

afterEach(endAll);

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
      setVariable("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.replace("127.0.0.1", "localhost") + path);
      expect(await fromContainerMetadata()()).toMatchObject({ accessKeyId: expect.stringMatching(/^ASIA/) });
    });
  }
});

describe("upstream", () => {
  test("a thousand first requests for one role are one AssumeRole and one GetCallerIdentity", async () => {
    const aws = startFake();
    aws.delayMs = 100;
    const { port } = online(aws, KEYS);
    const answers = await Promise.all(
      Array.from({ length: 1000 }, () => ask(port, "127.0.0.1", { path: "/role/app" })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
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
    // 900 ms, and what two busy cores add: four test files run at a time.
    expect(performance.now() - before).toBeLessThan(1_200);
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
    expect(lines.at(-1)).toContain('"caller":"shop-web-1","path":"/creds","role":"","outcome":"returned"');
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
    // A free port may become that of the server under test; this one is reserved.
    const { status, body } = await online({ ...startFake(), url: "http://127.0.0.1:1" }, KEYS).get("/creds");
    expect([status, body.message]).toEqual([
      503,
      expect.stringContaining("could not reach 127.0.0.1:1 (ECONNREFUSED)"),
    ]);
  });
  test("bad roles cause no call", async () => {
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

test("offline answers every route without a call", async () => {
  const { get } = serve(createOfflineSource({ now: Date.now }), Date.now);
  for (const path of ROUTES) {
    expect(await get(path)).toMatchObject({
      status: 200,
      body: { AccessKeyId: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/) },
    });
  }
});
