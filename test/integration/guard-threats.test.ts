import { afterEach, describe, expect, test } from "bun:test";
import type { Environment } from "../../src/config/config.ts";
import { markOwn } from "../../src/own-request.ts";
import type { RuleName } from "../../src/routes/guard.ts";
import { startApp } from "../support/app.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { DB, GATEWAY, LAN_NEIGHBOUR, machine, OUTSIDER, ROUTER, WEB } from "../support/guarded-machine.ts";

// Each row of docs/security.md: refused with its rule, and answered without it, so that it is this rule that refuses.
interface Threat {
  readonly who: string;
  readonly from: string;
  readonly path?: string;
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly says: string;
  /** What the rule needs, and is off without. */
  readonly env?: Environment;
  readonly labels?: Record<string, string>;
  readonly rootless?: boolean;
  readonly without?: RuleName;
}

const STATE = "/api/task-protection/v1/state";
const NAMED_STATE = "/api/shop-web-1/task-protection/v1/state";
const FAULT = "/api/shop-web-1/fault/v1/network-latency/start";
const PROTECT = '{"ProtectionEnabled":true}';
const bound = { "ecs-local.role": "web" };
const THREATS: readonly Threat[] = [
  {
    who: "a page in a browser that rebinds its name",
    from: "127.0.0.1",
    headers: { host: "evil.example:51679" },
    status: 403,
    says: "ECS_LOCAL_ALLOWED_HOSTS",
    without: "host",
  },
  ...["origin", "referer", "sec-fetch-site"].map((name) => ({
    who: `a page in a browser that asks by our own address, told by its ${name}`,
    from: "127.0.0.1",
    headers: { [name]: "http://evil.example" },
    status: 403,
    says: name,
    without: "browser" as const,
  })),
  {
    who: "an older browser's page that frames us, which has no header but its name",
    from: "127.0.0.1",
    headers: { host: "169.254.170.2.evil.example" },
    status: 403,
    says: "evil.example",
    without: "host",
  },
  ...[OUTSIDER, LAN_NEIGHBOUR, ROUTER, "2001:db8::9", "::ffff:203.0.113.9"].map((from) => ({
    who: `a machine on the LAN at ${from}`,
    from,
    status: 403,
    says: "ECS_LOCAL_ALLOWED_NETWORKS",
    without: "caller" as const,
  })),
  {
    who: "a container of a network that the engine does not know",
    from: "10.88.0.7",
    status: 403,
    says: "10.88.0.7",
    without: "caller",
  },
  ...[WEB.address, WEB.ipv6, GATEWAY].map((from) => ({
    who: `another's container, or a machine, that has the address ${from} of a rootless engine`,
    from,
    status: 403,
    says: from,
    rootless: true,
    without: "caller" as const,
  })),
  ...["/v3/task", "/v2/metadata", "/role/app", "/v1/tasks", "/v1/metadata", "/", NAMED_STATE, "/nothing"].map(
    (path) => ({
      who: `an unknown caller that requests ${path}`,
      from: OUTSIDER,
      path,
      status: 403,
      says: OUTSIDER,
      without: "caller" as const,
    }),
  ),
  ...["x-forwarded-for", "forwarded", "via"].map((name) => ({
    who: `a request that a proxy forwards, told by its ${name}`,
    from: WEB.address,
    headers: { [name]: "1.1 proxy" },
    status: 403,
    says: name,
    without: "browser" as const,
  })),
  {
    who: "an unknown caller that sets a task's protection by its container's name",
    from: OUTSIDER,
    path: NAMED_STATE,
    method: "PUT",
    body: PROTECT,
    status: 403,
    says: OUTSIDER,
    without: "caller",
  },
  ...["origin", "referer", "sec-fetch-site"].map((name) => ({
    who: `a page that sets a task's protection, told by its ${name}`,
    from: "127.0.0.1",
    path: NAMED_STATE,
    method: "PUT",
    body: PROTECT,
    headers: { [name]: "http://evil.example" },
    status: 403,
    says: name,
    without: "browser" as const,
  })),
  ...[NAMED_STATE, FAULT].map((path) => ({
    who: `a browser that asks first whether a page may change ${path}`,
    from: "127.0.0.1",
    path,
    method: "OPTIONS",
    status: 405,
    says: "",
    without: "method" as const,
  })),
  {
    who: "a page that lists the machine's tasks under a name of its own",
    from: "127.0.0.1",
    path: "/v1/tasks",
    headers: { host: "evil.example:51679" },
    status: 403,
    says: "ECS_LOCAL_ALLOWED_HOSTS",
    without: "host",
  },
  {
    who: "an unknown caller through a published port",
    from: GATEWAY,
    status: 403,
    says: "ECS_LOCAL_REFUSE_GATEWAY",
    env: { ECS_LOCAL_REFUSE_GATEWAY: "1" },
  },
  {
    who: "a page whose request has two Hosts, one of them ours",
    from: "127.0.0.1",
    headers: { host: "localhost, evil.example" },
    status: 400,
    says: "more than one Host",
    without: "host",
  },
  {
    who: "a script that sends a path of over 2 KiB",
    from: "127.0.0.1",
    path: `/v3/${"x".repeat(2_048)}`,
    status: 400,
    says: "more than 2048",
    without: "path",
  },
  {
    who: "our own process, pointed at itself",
    from: "127.0.0.1",
    path: `/creds${markOwn(new URL("http://h/creds")).search}`,
    status: 403,
    says: "pointed at itself",
    without: "own",
  },
  {
    who: "a script without the token",
    from: WEB.address,
    status: 401,
    says: "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    env: { ECS_LOCAL_AUTH_TOKEN: "correct-horse" },
  },
  {
    who: "a script that guesses the token",
    from: WEB.address,
    headers: { authorization: "correct-hors" },
    status: 403,
    says: "not this server's token",
    env: { ECS_LOCAL_AUTH_TOKEN: "correct-horse" },
  },
  {
    who: "a script that guesses the names of roles",
    from: WEB.address,
    path: "/role/admin",
    status: 403,
    says: "ECS_LOCAL_ALLOWED_ROLES",
    env: { ECS_LOCAL_ALLOWED_ROLES: "app,creds" },
  },
  {
    who: "a container that asks for another's role",
    from: WEB.address,
    path: "/role/db",
    status: 403,
    says: "bound to the role 'web'",
    labels: bound,
  },
  {
    who: "a bound container that goes round its label by a published port",
    from: GATEWAY,
    path: "/role/db",
    status: 403,
    says: "does not identify a container",
    labels: bound,
  },
];

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function statusOf(threat: Threat, isOn: boolean) {
  const { rootless = false } = threat;
  const engine = startFakeEngine({ ...machine(isOn ? threat.labels : {}), rootless });
  const app = startApp(engine.host, {
    env: isOn ? (threat.env ?? {}) : {},
    guarded: { without: isOn || !threat.without ? [] : [threat.without] },
  });
  stops.push(app.stop, () => engine.stop());
  await app.inventory.ready();
  const { from, path = "/creds", headers = {}, method = "GET", body } = threat;
  return app.ask(path, from, { method, headers, ...(body !== undefined && { body }) });
}

describe("who is kept out", () => {
  for (const threat of THREATS) {
    test(`${threat.who}, by the rule alone`, async () => {
      const refused = await statusOf(threat, true);
      expect(refused.status, refused.text).toBe(threat.status);
      expect(refused.text).toContain(threat.says);
      expect(refused.text).not.toContain("AccessKeyId");
      const answered = await statusOf(threat, false);
      expect(answered.status === threat.status, answered.text).toBe(false);
      if (threat.path === undefined) expect(answered.json.AccessKeyId).toStartWith("ASIA");
    });
  }

  test("a form that posts, by its method and by what its browser adds", async () => {
    const form = { who: "", from: "127.0.0.1", method: "POST", status: 405, says: "" };
    expect((await statusOf(form, true)).status).toBe(405);
    const seen = { ...form, headers: { origin: "null" }, without: "method" as const };
    expect((await statusOf(seen, false)).status).toBe(403);
    expect((await statusOf({ ...form, without: "method" }, false)).status).toBe(404);
  });
});

describe("who is let in beside them", () => {
  const allowed: [who: string, from: string, path?: string, env?: Environment, headers?: Record<string, string>][] = [
    ["a container", WEB.address],
    ["a container by IPv6", WEB.ipv6],
    ["a container on a socket of both families", `::ffff:${DB.address}`],
    ["loopback", "127.0.0.1"],
    ["loopback by IPv6", "::1"],
    ["a published port", GATEWAY],
    ["an unknown caller that is listed", OUTSIDER, "/creds", { ECS_LOCAL_ALLOWED_NETWORKS: "203.0.113.0/24" }],
    ["any caller for /health", OUTSIDER, "/health"],
    ["who has the token", WEB.address, "/creds", { ECS_LOCAL_AUTH_TOKEN: "t" }, { authorization: "t" }],
    ["metadata without the token", WEB.address, "/v3", { ECS_LOCAL_AUTH_TOKEN: "t" }],
    ["a container that lists the machine's tasks", WEB.address, "/v1/tasks"],
    ["a container that reads a neighbour's protection", WEB.address, "/api/camera/task-protection/v1/state"],
    ["a role that is listed", WEB.address, "/role/app", { ECS_LOCAL_ALLOWED_ROLES: "app" }],
  ];
  for (const [who, from, path = "/creds", env = {}, headers = {}] of allowed) {
    test(who, async () => {
      const answer = await statusOf({ who, from, path, env, headers, status: 200, says: "" }, true);
      expect(answer.status, answer.text).toBe(200);
    });
  }

  for (const [who, from, path] of [
    ["a container that protects its own task", WEB.address, STATE],
    ["a container that protects it by a neighbour's name", DB.address, NAMED_STATE],
    ["the host that names a container", "127.0.0.1", NAMED_STATE],
    ["a published port that names one", GATEWAY, NAMED_STATE],
  ] as const) {
    test(who, async () => {
      const answer = await statusOf({ who, from, path, method: "PUT", body: PROTECT, status: 200, says: "" }, true);
      expect(answer.json.protection?.ProtectionEnabled, answer.text).toBe(true);
    });
  }
});

test("what a container sees of the machine's tasks has no label, no environment and no credentials", async () => {
  const labels = { "ecs-local.role": "web", "team.note": "xyzzy" };
  const { text } = await statusOf(
    { who: "", from: DB.address, path: "/v1/tasks", labels, status: 200, says: "" },
    true,
  );
  expect(text).toContain(WEB.name);
  expect(text).not.toMatch(/xyzzy|ecs-local\.role|Labels|LogOptions|AccessKeyId/);
});
