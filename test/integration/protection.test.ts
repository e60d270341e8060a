import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, startApp } from "../support/app.ts";
import { container, withComposeProject, withLabels } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { network, withNetwork } from "../support/networks.ts";

const PATH = "/api/task-protection/v1/state";
const of = (identifier: string) => `/api/${identifier}/task-protection/v1/state`;
const ARN = "arn:aws:ecs:eu-west-1:111122223333:task/staging/0f9de17a6465404e8b1b2356dc13c2f8";
const shop = network({ name: "shop_default", subnet: "172.31.1.0/24", gateway: "172.31.1.1" });
const WEB = "172.31.1.2";
const DB = "172.31.1.3";
const PAYROLL = "172.31.1.4";
const JOB = "172.31.1.11";
const BLOG = "172.31.1.10";
const GATEWAY = "172.31.1.1";
const OUTSIDER = "203.0.113.9";

const service = (name: string, ipv4: string) =>
  withNetwork(withComposeProject(container({ name: `shop-${name}-1` }), "shop", name), shop, { ipv4 });
const payroll = withNetwork(withLabels(container({ name: "payroll" }), { "com.amazonaws.ecs.task-arn": ARN }), shop, {
  ipv4: PAYROLL,
});
const MACHINE = { networks: [shop], containers: [service("web", WEB), service("db", DB), payroll] };

let nowMs = Date.parse("2026-01-02T03:04:05.678Z");
const engine = startFakeEngine(MACHINE);
let app: ReturnType<typeof startApp>;
beforeAll(async () => {
  app = startApp(engine.host, { now: () => nowMs, guarded: {} });
  await app.inventory.ready();
});
afterAll(async () => {
  app.stop();
  await engine.stop();
});

const put = (from: string, body: string, path = PATH, to = app) => to.ask(path, from, { method: "PUT", body });
const state = async (from: string, path = PATH) => (await app.ask(path, from)).json.protection;

describe("a task's protection", () => {
  test("ends at its minute, for all members at once", async () => {
    expect((await put(WEB, '{"ProtectionEnabled":true,"ExpiresInMinutes":60}')).json.protection.ExpirationDate).toBe(
      "2026-01-02T04:04:05Z",
    );
    nowMs += 60 * 60_000 - 1;
    expect(await state(DB)).toMatchObject({ ProtectionEnabled: true, ExpirationDate: "2026-01-02T04:04:05Z" });
    nowMs += 1;
    for (const from of [WEB, DB]) {
      expect(await state(from)).toMatchObject({ ProtectionEnabled: false, ExpirationDate: null });
    }
  });

  test("is set anew by each request, shorter too", async () => {
    await put(WEB, '{"ProtectionEnabled":true}');
    await put(DB, '{"ProtectionEnabled":true,"ExpiresInMinutes":1}');
    nowMs += 60_000;
    expect(await state(WEB)).toMatchObject({ ProtectionEnabled: false });
  });

  test("names the task as the task's document does", async () => {
    expect((await state(PAYROLL)).TaskArn).toBe(ARN);
    expect((await state(WEB)).TaskArn).toBe((await app.ask("/v4/task", WEB)).json.TaskARN);
  });

  test("names it as a user's JSON does that is merged over the document", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ecs-local-protection-"));
    writeFileSync(join(folder, "task.json"), '{"TaskARN":"arn:of:mine"}');
    const other = startApp(engine.host, { env: { TASK_METADATA_PATH: join(folder, "task.json") } });
    try {
      await other.inventory.ready();
      expect((await put(WEB, "{}", PATH, other)).json.error.Arn).toBe("arn:of:mine");
    } finally {
      other.stop();
      rmSync(folder, { recursive: true });
    }
  });
});

describe("who cannot be told", () => {
  test("by a gateway sets nothing without a name, and with one what it names", async () => {
    const refused = await put(GATEWAY, '{"ProtectionEnabled":true}');
    expect([refused.status, refused.json.error.Code]).toEqual([404, "ResourceNotFoundException"]);
    expect(refused.json.error.Message).toMatch(/gateway.*\/api\/payroll\/task-protection\/v1\/state/);
    for (const from of [WEB, PAYROLL]) expect((await state(from)).ProtectionEnabled).toBe(false);
    expect((await put(GATEWAY, '{"ProtectionEnabled":true}', of("payroll"))).status).toBe(200);
    expect((await state(WEB)).ProtectionEnabled).toBe(false);
    expect((await put(PAYROLL, '{"ProtectionEnabled":false}')).status).toBe(200);
  });

  test("by an unknown address is refused, with a name as well", async () => {
    for (const path of [PATH, of("payroll"), "/v1/tasks", "/"]) {
      const { status } = await app.ask(path, OUTSIDER);
      expect(status, path).toBe(403);
    }
    const { json } = await put(OUTSIDER, '{"ProtectionEnabled":true}', of("payroll"));
    expect(json.error).toEqual({ Code: "AccessDeniedException", Message: expect.stringContaining(OUTSIDER) });
    expect((await state(PAYROLL)).ProtectionEnabled).toBe(false);
  });
});

test("a body that cannot be read leaves its reason in the log, and no value of it", async () => {
  await put(WEB, '{"ProtectionEnabled":true,"Comment":"xyzzy"}');
  app.flush();
  const line = app.lines
    .join("")
    .split("\n")
    .find((each) => each.includes("body was refused"));
  expect(line).toContain("/Comment");
  expect(line).not.toContain("xyzzy");
});

describe("without an engine", () => {
  let lost: ReturnType<typeof startApp>;
  beforeAll(() => {
    lost = startApp("unix:///nonexistent/engine.sock");
  });
  afterAll(() => lost.stop());

  test("protection is a failure of the server, with what is missing", async () => {
    const { status, json } = await put(WEB, '{"ProtectionEnabled":true}', PATH, lost);
    expect([status, json.error.Code]).toEqual([500, "ServerException"]);
    expect(json.error.Message).toMatch(/^Failed to find a task for the request: .*engine\.sock/s);
    expect(Object.keys(json.error)).toEqual(["Code", "Message"]);
  });

  test("so are faults and tasks; the instance is still told", async () => {
    const fault = await lost.ask("/api/fault/v1/network-latency/start", WEB, { method: "POST", body: "{}" });
    expect([fault.status, fault.json.Error]).toEqual([500, expect.stringContaining("engine.sock")]);
    const tasks = await lost.ask("/v1/tasks", WEB);
    expect([tasks.status, tasks.json.Message]).toEqual([503, expect.stringContaining("engine.sock")]);
    expect((await lost.ask("/v1/metadata", WEB)).json.Cluster).toBe("ecs-local-cluster");
  });
});

describe("a container that has just started", () => {
  test("is known to introspection by its id", async () => {
    const next = withNetwork(container({ name: "next" }), shop, { ipv4: "172.31.1.9" });
    engine.add(next);
    // Its events have come.
    await eventually(() => engine.count(`/containers/${next.Id}/json`) > 0, 1_000);
    const { status, json } = await app.ask(`/v1/tasks?dockerid=${next.Id}`, WEB);
    expect(status).toBe(200);
    expect(json.Containers.map(({ DockerName }: { DockerName: string }) => DockerName)).toEqual(["next"]);
  });

  test("sets nothing for another task, although that one's name is known already", async () => {
    engine.add(withNetwork(withComposeProject(container({ name: "blog-web-1" }), "blog", "web"), shop, { ipv4: BLOG }));
    const refused = await put(BLOG, '{"ProtectionEnabled":true}', of("payroll"));
    expect([refused.status, refused.json.error.Code]).toEqual([403, "AccessDeniedException"]);
    expect((await state(PAYROLL)).ProtectionEnabled).toBe(false);
    expect((await put(BLOG, '{"ProtectionEnabled":true}', of("blog-web-1"))).status).toBe(200);
  });

  test("sets nothing for another task, although that one is named in full and it was not identified before", async () => {
    const open = startApp(engine.host);
    try {
      await open.inventory.ready();
      const job = withNetwork(withComposeProject(container({ name: "job" }), "jobs", "job"), shop, { ipv4: JOB });
      engine.add(job);
      expect((await put(JOB, '{"ProtectionEnabled":true}', of("payroll"), open)).status).toBe(403);
      expect((await open.ask(PATH, PAYROLL)).json.protection.ProtectionEnabled).toBe(false);
    } finally {
      open.stop();
    }
  });
});

test("introspection does not call a container unknown while a silent engine was not noticed yet", async () => {
  engine.faults.hold = true;
  try {
    const { status, json } = await app.ask(`/v1/tasks?dockerid=${"0".repeat(64)}`, WEB);
    expect([status, json.Message]).toEqual([503, expect.stringContaining("engine")]);
  } finally {
    engine.faults.hold = false;
  }
});
