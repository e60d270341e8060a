import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { endAll, home, online, ROLE_ARN, startFake } from "../support/credential-server.ts";

beforeAll(() => import("../../src/aws/source.ts"));
afterEach(endAll);

const MINUTE = 60_000;

/** A server whose identity a program gives, for an hour; `break` has it fail from then on. */
function start() {
  const HOME = home({});
  const path = join(HOME, "given.json");
  const began = Date.now();
  const give = (id: string) => {
    const keys = { AccessKeyId: id, SecretAccessKey: "s", SessionToken: "t" };
    writeFileSync(path, JSON.stringify({ Version: 1, ...keys, Expiration: new Date(began + 60 * MINUTE) }));
  };
  give("ASIAONE");
  const config = (command: string) =>
    writeFileSync(join(HOME, ".aws", "config"), `[default]\ncredential_process = ${command}\n`);
  config(`echo run >> ${HOME}/runs; cat ${path}`);
  const aws = startFake();
  let at = began;
  const { get, lines } = online(aws, { HOME }, () => at);
  return {
    aws,
    get,
    lines,
    config,
    pass: (ms: number) => {
      at += ms;
      aws.clockMs = at - Date.now();
    },
    fail: () => writeFileSync(path, "{}"),
    give,
    runs: async () => (await Bun.file(join(HOME, "runs")).text()).trim().split("\n").length,
  };
}

describe("an identity that cannot be renewed and has not ended", () => {
  test("is used for a role that was not requested before, as /creds goes on with it", async () => {
    const { get, pass, fail, lines } = start();
    expect((await get("/creds")).status).toBe(200);
    pass(45 * MINUTE);
    fail();
    expect((await get(`/role-arn/${ROLE_ARN}`)).status).toBe(200);
    expect((await get("/creds")).body).toMatchObject({ AccessKeyId: "ASIAONE" });
    // That /creds is told of the failure does not mean that AWS refused the identity.
    expect((await get(`/role-arn/${ROLE_ARN}-other`)).status).toBe(200);
    expect(lines.join("\n")).toContain("renewal failed");
  });
  test("is used for /creds that was not requested before", async () => {
    const { get, pass, fail } = start();
    expect((await get(`/role-arn/${ROLE_ARN}`)).status).toBe(200);
    pass(45 * MINUTE);
    fail();
    expect((await get("/creds")).body).toMatchObject({ AccessKeyId: "ASIAONE" });
  });
  test("is tried to be renewed once in 5 s, however many roles are asked for, and used no more once it is", async () => {
    const { aws, get, pass, fail, give, runs } = start();
    await get("/creds");
    pass(45 * MINUTE);
    fail();
    for (let role = 0; role < 5; role += 1) expect((await get(`/role-arn/${ROLE_ARN}-${role}`)).status).toBe(200);
    expect(await runs()).toBe(2);
    give("ASIATWO");
    pass(5000);
    expect((await get(`/role-arn/${ROLE_ARN}-new`)).status).toBe(200);
    expect(await runs()).toBe(3);
    expect(aws.requests.at(-1)?.authorization).toContain("Credential=ASIATWO/");
  });
  test("is not used once it has ended", async () => {
    const { get, pass, fail } = start();
    await get("/creds");
    fail();
    pass(60 * MINUTE);
    const { status, body } = await get(`/role-arn/${ROLE_ARN}`);
    expect([status, body.message]).toEqual([400, expect.stringContaining("did not return Version 1")]);
  });
  test("is not used in place of another that was configured since", async () => {
    const { get, pass, config } = start();
    await get("/creds");
    pass(45 * MINUTE);
    config("exit 7");
    const { status, body } = await get(`/role-arn/${ROLE_ARN}`);
    expect([status, body.message]).toEqual([400, expect.stringContaining("failed (exit code 7)")]);
  });
  test("is not used once AWS has refused it", async () => {
    const { aws, get, pass, fail } = start();
    await get("/creds");
    pass(45 * MINUTE);
    fail();
    aws.failures.AssumeRole = { code: "ExpiredToken", status: 403 };
    expect((await get(`/role-arn/${ROLE_ARN}`)).body.message).toContain("ExpiredToken");
    aws.failures.AssumeRole = undefined;
    expect((await get(`/role-arn/${ROLE_ARN}-other`)).body.message).toContain("did not return Version 1");
  });
});
