import { afterEach, describe, expect, test } from "bun:test";
import type { Environment } from "../../src/config/config.ts";
import { eventually, startApp } from "../support/app.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { DB, GATEWAY, machine, onBridge, WEB } from "../support/guarded-machine.ts";

const ARN = "arn:aws:iam::111122223333:role/team/web";
/** The account of the dummy credentials. */
const OFFLINE = "arn:aws:iam::111111111111:role";
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(label?: string, env: Environment = {}, inContainer = false) {
  const engine = startFakeEngine(machine(label === undefined ? {} : { "ecs-local.role": label }));
  stops.push(() => engine.stop());
  const app = startApp(engine.host, { env, guarded: { inContainer, own: ["192.168.1.5", GATEWAY] } });
  stops.push(app.stop);
  await app.inventory.ready();
  const roleOf = async (path: string, from: string) => {
    const { status, json } = await app.ask(path, from);
    return status === 200 ? json.RoleArn : status;
  };
  return { engine, app, roleOf };
}

describe("a container that the label binds", () => {
  for (const [label, arn, same, others] of [
    ["web", `${OFFLINE}/web`, ["/role/web", `/role-arn/${OFFLINE}/web`], ["/role/db", "/role/webs", "/role/we"]],
    ["team/web", `${OFFLINE}/team/web`, ["/role/team/web", "/role/web"], ["/role/x/web", "/role/team/db"]],
    [
      ARN,
      ARN,
      [`/role-arn/${ARN}`, "/role/web", "/role/team%2Fweb"],
      [`/role-arn/${ARN}s`, "/role/x/web", `/role-arn/${OFFLINE}/team/web`],
    ],
  ] as const) {
    test(`to ${label} is returned that role by every path that can mean it, and no other`, async () => {
      const { roleOf } = await start(label);
      for (const path of ["/creds", "/creds/", "/v2/credentials/any", ...same]) {
        expect(await roleOf(path, WEB.address), path).toBe(arn);
      }
      for (const path of others) expect(await roleOf(path, WEB.address), path).toBe(403);
    });
  }
  test("by what is not a role is refused with the label", async () => {
    const { app } = await start("a b");
    const { status, text } = await app.ask("/creds", WEB.address);
    expect([status, text]).toEqual([403, expect.stringContaining("ecs-local.role")]);
  });
  test("is held to the list of roles as others are", async () => {
    const { roleOf } = await start("web", { ECS_LOCAL_ALLOWED_ROLES: "creds,db" });
    expect([await roleOf("/creds", WEB.address), await roleOf("/creds", DB.address)]).toEqual([403, ""]);
  });
});

describe("while a running container carries the label", () => {
  test("a container without it is returned what it asks for", async () => {
    const { roleOf } = await start("web");
    expect([await roleOf("/creds", DB.address), await roleOf("/role/db", DB.address)]).toEqual(["", `${OFFLINE}/db`]);
  });
  test("loopback and the host's own addresses stay on a host, and gateways and the listed do not", async () => {
    const { roleOf } = await start("web", { ECS_LOCAL_ALLOWED_NETWORKS: "203.0.113.0/24" });
    expect([await roleOf("/creds", "127.0.0.1"), await roleOf("/creds", "192.168.1.5")]).toEqual(["", ""]);
    expect([await roleOf("/creds", GATEWAY), await roleOf("/creds", "203.0.113.9")]).toEqual([403, 403]);
  });
  test("loopback does not stay in a container, where another may share it", async () => {
    const { roleOf } = await start("web", {}, true);
    expect([await roleOf("/creds", "127.0.0.1"), await roleOf("/creds", "::1")]).toEqual([403, 403]);
  });
  test("metadata is as before", async () => {
    const { app } = await start("web");
    expect((await app.ask("/v3/task", "127.0.0.1")).status).toBe(200);
  });
  test("an engine that is lost cannot tell who asks: 503, and never the server's own credentials", async () => {
    const { engine, app, roleOf } = await start("web");
    await engine.stop();
    await eventually(() => !app.inventory.isCurrent(), 3_000);
    expect(await roleOf("/creds", WEB.address)).toBe(503);
    expect(await roleOf("/creds", "127.0.0.1")).toBe("");
  }, 10_000);
});

test("once the last container with the label has ended, gateways are answered again", async () => {
  const { engine, roleOf } = await start();
  expect(await roleOf("/creds", GATEWAY)).toBe("");
  engine.add(onBridge("shop-job-1", "172.31.7.30", { "ecs-local.role": "job" }));
  expect(await roleOf("/creds", "172.31.7.30")).toBe(`${OFFLINE}/job`);
  expect(await roleOf("/creds", GATEWAY)).toBe(403);
  engine.remove("shop-job-1");
  await Bun.sleep(50);
  expect(await roleOf("/creds", GATEWAY)).toBe("");
});

test("a stopped container with the label binds no caller", async () => {
  const { engine, roleOf } = await start("web");
  await engine.stop(WEB.name);
  await Bun.sleep(50);
  expect(await roleOf("/creds", GATEWAY)).toBe("");
});

test("before the engine is reached, an address that the host's networks let in waits for the labels", async () => {
  const engine = startFakeEngine(machine({ "ecs-local.role": "web" }));
  stops.push(() => engine.stop());
  const env = { ECS_LOCAL_ALLOWED_NETWORKS: "172.31.0.0/16" };
  const app = startApp(engine.host, { env, guarded: { inContainer: true } });
  stops.push(app.stop);
  expect((await app.ask("/creds", WEB.address)).json.RoleArn).toBe(`${OFFLINE}/web`);
});

describe("ECS_LOCAL_ALLOWED_ROLES", () => {
  for (const [entries, allowed, refused] of [
    [
      "app",
      ["/role/app", "/role/team/app", "/role-arn/arn:aws:iam::111122223333:role/x/app"],
      ["/role/apps", "/role/myapp", "/role/app/x", "/creds"],
    ],
    ["app-*", ["/role/app-1", "/role/x/app-1"], ["/role/app", "/role/app-1/admin"]],
    ["team/*", ["/role/team/app", "/role/team/x/app"], ["/role/app", "/role/teams/app"]],
    [`${OFFLINE}/app`, ["/role/app", `/role-arn/${OFFLINE}/app`], ["/role/team/app", `/role-arn/${ARN}`]],
    [
      "arn:aws:iam::222222222222:role/*",
      ["/role-arn/arn:aws:iam::222222222222:role/app"],
      ["/role/app", `/role-arn/${ARN}`],
    ],
    ["creds", ["/creds", "/v2/credentials/x"], ["/role/app", "/role/creds"]],
    ["*", ["/role/app", "/role/team/app", `/role-arn/${ARN}`], ["/creds"]],
    ["a.p", ["/role/a.p"], ["/role/app"]],
    ["creds, app team/web", ["/creds", "/role/app", `/role-arn/${ARN}`], ["/role/db"]],
  ] as const) {
    test(`'${entries}'`, async () => {
      const { roleOf } = await start(undefined, { ECS_LOCAL_ALLOWED_ROLES: entries });
      for (const path of allowed) expect(await roleOf(path, DB.address), path).toBeString();
      for (const path of refused) expect(await roleOf(path, DB.address), path).toBe(403);
    });
  }
});
