import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createOnlineSource } from "../../src/aws/lazy-source.ts";
import { parseConfig } from "../../src/config/config.ts";
import { eventually, startApp } from "../support/app.ts";
import { KEYS } from "../support/credential-server.ts";
import { startFakeAws } from "../support/fake-aws.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { folder } from "../support/folder.ts";
import { DB, GATEWAY, machine, onBridge, WEB } from "../support/guarded-machine.ts";
import { logOf, waitForLine } from "../support/wait-for-line.ts";

beforeAll(() => import("../../src/aws/source.ts"));
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const ARN = "arn:aws:iam::111122223333:role/team/shop";
const ALONE = "192.168.7.9";
const shop = (taskRoleArn?: string) => ({
  family: "shop",
  taskRoleArn,
  containerDefinitions: [{ name: "web" }, { name: "db" }],
});

async function start(
  definition: object,
  env: Record<string, string> = {},
  labels: Record<string, string> = {},
  inContainer = false,
) {
  const engine = startFakeEngine(machine(labels));
  const aws = startFakeAws();
  const { write, remove } = folder("task-role");
  ends.push(() => engine.stop(), aws.stop, remove);
  const ECS_LOCAL_TASK_DEFINITION = write("shop.json", definition);
  const on = { ECS_LOCAL_TASK_DEFINITION, ECS_LOCAL_USE_TASK_ROLE: "1" };
  const all = { ...KEYS, STS_ENDPOINT: aws.url, IAM_ENDPOINT: aws.url, ...on, ...env };
  const source = createOnlineSource({ config: parseConfig(all).aws, env: all, now: Date.now });
  const app = startApp(engine.host, { env: all, source, guarded: { inContainer, own: ["192.168.1.5", GATEWAY] } });
  ends.unshift(app.stop);
  await app.inventory.ready();
  /** The role that is returned, or the error's status and code. */
  async function roleOf(path: string, from: string): Promise<string> {
    const { status, json } = await app.ask(path, from);
    return status === 200 ? json.RoleArn : `${status} ${json.code}`;
  }
  return { ...app, log: () => logOf(app), engine, aws, write, roleOf, path: ECS_LOCAL_TASK_DEFINITION };
}

describe("a container of the task is returned its taskRoleArn", () => {
  test("by /creds and the agent's own path, with one call for all of the task's containers", async () => {
    const { roleOf, aws, log } = await start(shop(ARN));
    for (const path of ["/creds", "/creds/", "/v2/credentials/any"]) {
      for (const from of [WEB.address, WEB.ipv6, DB.address]) expect(await roleOf(path, from), path).toBe(ARN);
    }
    expect(aws.calls).toEqual({ AssumeRole: 1 });
    const audit = await waitForLine(log, "credentials returned");
    expect(audit).toMatchObject({ caller: expect.stringContaining("shop-web-1"), path: "/creds", role: ARN });
  });
  for (const name of ["shop", "team/shop"]) {
    test(`which may be '${name}' in the register form`, async () => {
      const { roleOf } = await start(shop(name));
      expect(await roleOf("/creds", WEB.address)).toBe(`arn:aws:iam::111122223333:role/${name}`);
    });
  }
  test("and the role that it names in a path is its own matter", async () => {
    const { roleOf } = await start(shop(ARN));
    expect(await roleOf("/role/other", WEB.address)).toBe("arn:aws:iam::111122223333:role/other");
    expect(await roleOf("/role-arn/arn:aws:iam::444455556666:role/x", WEB.address)).toEndWith("role/x");
  });
  test("unless its label binds it to another", async () => {
    const { roleOf } = await start(shop(ARN), {}, { "ecs-local.role": "mine" });
    expect(await roleOf("/creds", WEB.address)).toBe("arn:aws:iam::111122223333:role/mine");
    expect(await roleOf("/creds", DB.address)).toBe(ARN);
    expect(await roleOf("/role/other", WEB.address)).toBe("403 RoleNotAllowed");
  });
  test("where it has only just started", async () => {
    const { roleOf, engine } = await start(shop(ARN));
    engine.add(onBridge("shop-job-1", "172.31.7.30"));
    expect(await roleOf("/creds", "172.31.7.30")).toBe(ARN);
  });
});

describe("ECS_LOCAL_ALLOWED_ROLES applies to it", () => {
  test("by its name", async () => {
    const { roleOf } = await start(shop(ARN), { ECS_LOCAL_ALLOWED_ROLES: "shop" });
    expect([await roleOf("/creds", WEB.address), await roleOf("/creds", ALONE)]).toEqual([ARN, "400 NoTaskRole"]);
  });
  test("by its ARN, once the account of a bare name is known", async () => {
    const allowed = { ECS_LOCAL_ALLOWED_ROLES: "arn:aws:iam::111122223333:role/shop" };
    expect(await (await start(shop("shop"), allowed)).roleOf("/creds", WEB.address)).toEndWith("role/shop");
    const refused = { ECS_LOCAL_ALLOWED_ROLES: "arn:aws:iam::444455556666:role/shop" };
    expect(await (await start(shop("shop"), refused)).roleOf("/creds", WEB.address)).toBe("403 RoleNotAllowed");
  });
  test("and the log names the role that was refused", async () => {
    const { roleOf, log } = await start(shop(ARN), { ECS_LOCAL_ALLOWED_ROLES: "creds" });
    expect(await roleOf("/creds", WEB.address)).toBe("403 RoleNotAllowed");
    expect(await waitForLine(log, "credentials refused")).toMatchObject({
      role: ARN,
      outcome: "role-not-allowed",
    });
  });
});

test("a task whose definition has no role has no credentials, as on ECS, and is told the remedy", async () => {
  const { ask, aws, path, log } = await start(shop());
  const { status, json } = await ask("/creds", WEB.address);
  const message = `The task definition 'shop' (${path}) has no taskRoleArn, so its tasks get no credentials; add taskRoleArn to it, or ask for /role/<name>`;
  expect([status, json]).toEqual([
    400,
    { code: "NoTaskRole", message, HTTPErrorCode: 400, Code: "NoTaskRole", Message: message },
  ]);
  expect(aws.calls).toEqual({});
  expect(await waitForLine(log, "credentials refused")).toMatchObject({ outcome: "no-task-role" });
});

test("a container of no task definition has no credentials, also not the server's own session", async () => {
  const { roleOf } = await start({ family: "blog", containerDefinitions: [{ name: "page" }], taskRoleArn: ARN });
  expect([await roleOf("/creds", WEB.address), await roleOf("/creds", ALONE)]).toEqual([
    "400 NoTaskRole",
    "400 NoTaskRole",
  ]);
});

describe("a caller that is not a container", () => {
  test("is returned the session where it is this machine, and refused where it cannot be told", async () => {
    const { roleOf, ask } = await start(shop(ARN), { ECS_LOCAL_ALLOWED_NETWORKS: "203.0.113.0/24" });
    expect([await roleOf("/creds", "127.0.0.1"), await roleOf("/creds", "192.168.1.5")]).toEqual(["", ""]);
    expect([await roleOf("/creds", GATEWAY), await roleOf("/creds", "203.0.113.9")]).toEqual([
      "400 UnknownCaller",
      "400 UnknownCaller",
    ]);
    expect((await ask("/creds", GATEWAY)).json.message).toContain("not by a published port, or ask for /role/<name>");
    expect(await roleOf("/role/other", GATEWAY)).toEndWith("role/other");
  });
  test("is refused on loopback in a container, which another may share", async () => {
    const { roleOf } = await start(shop(ARN), {}, {}, true);
    expect(await roleOf("/creds", "127.0.0.1")).toBe("400 UnknownCaller");
  });
  test("is refused while an engine that is lost cannot tell, and this machine is not", async () => {
    const { roleOf, engine, inventory } = await start(shop(ARN));
    await engine.stop();
    await eventually(() => !inventory.isCurrent(), 3_000);
    expect(await roleOf("/creds", WEB.address)).toBe("503 EngineUnavailable");
    expect(await roleOf("/creds", "127.0.0.1")).toBe("");
  }, 10_000);
});

test("a changed taskRoleArn is returned without a restart, and one that is not a role leaves the last", async () => {
  const { roleOf, write, log } = await start(shop(ARN));
  expect(await roleOf("/creds", WEB.address)).toBe(ARN);
  write("shop.json", shop("arn:aws:s3:::bucket"));
  expect((await waitForLine(log, "cannot be used")).cause).toContain("taskRoleArn is not a role");
  expect(await roleOf("/creds", WEB.address)).toBe(ARN);
  write("shop.json", shop("other"));
  await waitForLine(log, "used again");
  expect(await roleOf("/creds", WEB.address)).toBe("arn:aws:iam::111122223333:role/other");
});

describe("without the switch", () => {
  test("the definition's role is unused and not checked", async () => {
    const { roleOf } = await start(shop("arn:aws:iam::<account>:role/x"), { ECS_LOCAL_USE_TASK_ROLE: "0" });
    expect([await roleOf("/creds", WEB.address), await roleOf("/creds", GATEWAY)]).toEqual(["", ""]);
  });
  test("with it, the same text stops the start", async () => {
    await expect(start(shop("arn:aws:iam::<account>:role/x"))).rejects.toThrow(/taskRoleArn is not a role/);
  });
  test("with it and no task definition, the start stops too", () => {
    expect(() => parseConfig({ ECS_LOCAL_USE_TASK_ROLE: "1" })).toThrow(/set ECS_LOCAL_TASK_DEFINITION to the file/);
    expect(parseConfig({ ECS_LOCAL_TASK_DEFINITION: " a.json,,b.json , a.json" }).taskDefinitionPaths).toEqual([
      "a.json",
      "b.json",
    ]);
  });
});

test("a container is told within a second that the engine is gone, and not of another's role", async () => {
  const { ask, engine, roleOf, inventory } = await start(shop(ARN));
  expect(await roleOf("/creds", WEB.address)).toBe(ARN);
  await engine.stop();
  await eventually(() => !inventory.isCurrent(), 5_000);
  const begin = performance.now();
  expect((await ask("/creds", WEB.address)).status).toBe(503);
  expect(performance.now() - begin).toBeLessThan(1_000);
});
