import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { configured, endAll, home, KEYS, ROLE_ARN, startFake } from "../support/credential-server.ts";
import type { FakeAws } from "../support/fake-aws.ts";

beforeAll(() => import("../../src/aws/source.ts"));
afterEach(endAll);

const EXCEEDS = {
  code: "ValidationError",
  status: 400,
  message: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
};

function start(aws: FakeAws, env: Record<string, string> = {}, roles?: object) {
  let at = Date.now();
  const file = join(home({}), "roles.json");
  if (roles) writeFileSync(file, JSON.stringify(roles));
  const now = () => at;
  const endpoints = { STS_ENDPOINT: aws.url, IAM_ENDPOINT: aws.url, ...(roles && { ECS_LOCAL_ROLES: file }) };
  return {
    ...configured({ ...KEYS, ...endpoints, ...env }, now),
    pass(ms: number) {
      at += ms;
    },
  };
}

/** A parameter of every AssumeRole, in order. */
const asked = (aws: FakeAws, name: string) =>
  aws.requests.filter(({ action }) => action === "AssumeRole").map(({ params }) => params.get(name));

describe("ECS_LOCAL_SESSION_DURATION", () => {
  test("is what STS is asked for, for a role and for the identity", async () => {
    const aws = startFake();
    const { get } = start(aws, { ECS_LOCAL_SESSION_DURATION: "7200" });
    await get("/creds");
    await get("/role/app");
    const durations = aws.requests.map(({ action, params }) => [action, params.get("DurationSeconds")]);
    expect(durations).toEqual([
      ["GetSessionToken", "7200"],
      ["GetCallerIdentity", null],
      ["AssumeRole", "7200"],
    ]);
  });
  test("refused by STS is an hour, found out once for each role", async () => {
    const aws = startFake();
    aws.durationMax = 3600;
    const { get, pass } = start(aws, { ECS_LOCAL_SESSION_DURATION: "43200" });
    expect((await get("/role/app")).status).toBe(200);
    pass(50 * 60_000);
    expect((await get("/role/app")).status).toBe(200);
    expect(asked(aws, "DurationSeconds")).toEqual(["43200", "3600", "3600"]);
    expect((await get("/role/other")).status).toBe(200);
    expect(asked(aws, "DurationSeconds").slice(3)).toEqual(["43200", "3600"]);
  });
  test("refused for an hour too is an error, and no third attempt", async () => {
    const aws = startFake();
    aws.failures.AssumeRole = EXCEEDS;
    const { get } = start(aws, { ECS_LOCAL_SESSION_DURATION: "7200" });
    expect(await get("/role/app")).toMatchObject({ status: 400, body: { code: "UpstreamRefused" } });
    expect(asked(aws, "DurationSeconds")).toEqual(["7200", "3600"]);
  });
});

describe("ECS_LOCAL_ROLES", () => {
  test("gives external id, tags, duration and session name of a role", async () => {
    const aws = startFake();
    const app = {
      externalId: "ext-1",
      sessionTags: { team: "shop", cost: "7" },
      transitiveTagKeys: ["team"],
      durationSeconds: 1800,
      sessionName: "somebody",
    };
    await start(aws, {}, { app }).get("/role/app");
    expect(Object.fromEntries(aws.requests.at(-1)?.params ?? [])).toMatchObject({
      RoleArn: "arn:aws:iam::111122223333:role/app",
      ExternalId: "ext-1",
      "Tags.member.1.Key": "team",
      "Tags.member.1.Value": "shop",
      "Tags.member.2.Key": "cost",
      "Tags.member.2.Value": "7",
      "TransitiveTagKeys.member.1": "team",
      DurationSeconds: "1800",
      RoleSessionName: "somebody",
    });
  });
  test("takes the most exact key: ARN, path and name, name, then *", async () => {
    const key = (externalId: string) => ({ externalId });
    const other = "arn:aws:iam::444455556666:role/team/app";
    const roles = { [ROLE_ARN]: key("arn"), "team/app": key("path"), app: key("name"), "*": key("any") };
    const aws = startFake();
    const { get } = start(aws, {}, roles);
    const paths = [
      `/role-arn/${ROLE_ARN}`,
      "/role/team/app",
      `/role-arn/${other}`,
      "/role/x/app",
      "/role/app",
      "/role/z",
    ];
    for (const path of paths) expect((await get(path)).status).toBe(200);
    expect(asked(aws, "ExternalId")).toEqual(["arn", "arn", "path", "name", "name", "any"]);
    expect(asked(aws, "RoleSessionName")).toEqual(
      ["app", "app", "app", "app", "app", "z"].map((n) => `ecs-local-${n}`),
    );
  });
  test("finds the options of a role by its ARN once IAM has told its path", async () => {
    const aws = startFake();
    aws.paths.app = "/team/";
    await start(aws, {}, { [ROLE_ARN]: { externalId: "arn" } }).get("/role/app");
    expect(asked(aws, "ExternalId")).toEqual([null, "arn"]);
  });
});

describe("a name becomes an ARN", () => {
  test("by one GetCallerIdentity for all roles, and one GetRole for one that has a path", async () => {
    const aws = startFake();
    aws.paths.app = "/team/";
    const { get, pass } = start(aws);
    for (const path of ["/role/app", "/role/a", "/role/b", "/role/c/d"]) expect((await get(path)).status).toBe(200);
    pass(50 * 60_000);
    expect((await get("/role/app")).body.RoleArn).toBe(ROLE_ARN);
    expect(aws.calls).toEqual({ GetCallerIdentity: 1, GetRole: 1, AssumeRole: 6 });
  });
  test("which is asked for again by name when it was moved", async () => {
    const aws = startFake();
    aws.paths.app = "/team/";
    const { get, pass } = start(aws);
    await get("/role/app");
    aws.paths.app = "/other/";
    aws.paths["team/app"] = "gone";
    pass(50 * 60_000);
    expect((await get("/role/app")).body.RoleArn).toBe("arn:aws:iam::111122223333:role/other/app");
  });
  for (const partition of ["aws-cn", "aws-us-gov"]) {
    test(`in the partition ${partition}`, async () => {
      const aws = startFake();
      aws.partition = partition;
      expect((await start(aws).get("/role/app")).body.RoleArn).toBe(`arn:${partition}:iam::111122223333:role/app`);
    });
  }
  test("without GetRole for a path, an ARN, or a refusal that is none of the role's", async () => {
    const aws = startFake();
    aws.failures.AssumeRole = { code: "AccessDenied", status: 403 };
    const { get, pass } = start(aws);
    for (const path of ["/role/team/app", `/role-arn/${ROLE_ARN}`]) expect((await get(path)).status).toBe(403);
    aws.failures.AssumeRole = { code: "Throttling", status: 400 };
    pass(5000);
    expect((await get("/role/app")).status).toBe(503);
    expect(aws.calls.GetRole).toBeUndefined();
  });
});
