import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startApp } from "../support/app.ts";
import { container, hexId, network, withComposeProject, withNetwork } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";

const shop = network({ name: "shop_default", subnet: "172.31.1.0/24", gateway: "172.31.1.1" });
const blog = network({
  name: "blog_default",
  subnet: "172.31.2.0/24",
  gateway: "172.31.2.1",
  ipv6: { subnet: "fd00:2::/64", gateway: "fd00:2::1" },
});
const member = (project: string, service: string, on: typeof shop, address: { ipv4: string; ipv6?: string }) =>
  withNetwork(withComposeProject(container({ name: `${project}-${service}-1` }), project, service), on, address);

const engine = startFakeEngine({
  statsIntervalMs: 100,
  networks: [shop, blog],
  containers: [
    member("shop", "web", shop, { ipv4: "172.31.1.2" }),
    member("shop", "db", shop, { ipv4: "172.31.1.3" }),
    member("blog", "web", blog, { ipv4: "172.31.2.2", ipv6: "fd00:2::2" }),
    withComposeProject(container({ name: "shop-job-1", running: false, exitCode: 3 }), "shop", "job"),
  ],
});
let app: ReturnType<typeof startApp>;
beforeAll(async () => {
  app = startApp(engine.host);
  await app.inventory.ready();
});
afterAll(async () => {
  app.stop();
  await engine.stop();
});
const SHOP_WEB = "172.31.1.2";

describe("a caller is found by its address", () => {
  for (const [address, name] of [
    [SHOP_WEB, "shop-web-1"],
    ["::ffff:172.31.1.3", "shop-db-1"],
    ["fd00:2::2", "blog-web-1"],
    ["fd00:2:0:0::2", "blog-web-1"],
  ] as const) {
    test(`${address} is ${name}`, async () => {
      const { status, type, json } = await app.ask("/v3", address);
      expect([status, type, json.DockerName]).toEqual([200, "application/json", name]);
    });
  }

  test("an address of no container is refused with the names that work", async () => {
    const { status, json } = await app.ask("/v3", "203.0.113.9");
    expect(status).toBe(500);
    expect(json).toContain("203.0.113.9");
    expect(json).toContain("shop-web-1");
  });

  test("a gateway hides who asks where there are two tasks", async () => {
    expect((await app.ask("/v3", "172.31.1.1")).json).toContain("gateway");
    expect((await app.ask("/v3/task", "172.31.1.1")).status).toBe(500);
  });

  test("the host has no container body, and all running containers as its task", async () => {
    expect((await app.ask("/v3", "127.0.0.1")).json).toContain("/v3/containers/");
    expect((await app.ask("/v3/task", "127.0.0.1")).json.Containers).toHaveLength(3);
  });
});

describe("every route, with and without a trailing slash", () => {
  const id = hexId("container shop-web-1");
  for (const [path, kind] of [
    ["/v2/metadata", "task"],
    [`/v2/metadata/${id}`, "container"],
    ["/v2/stats", "task-stats"],
    [`/v2/stats/${id}`, "stats"],
    ["/v3", "container"],
    ["/v3/task", "task"],
    ["/v3/stats", "stats"],
    ["/v3/task/stats", "task-stats"],
    ["/v3/containers/web", "container"],
    ["/v3/containers/web/task", "task"],
    ["/v3/containers/web/stats", "stats"],
    ["/v3/containers/web/task/stats", "task-stats"],
    ["/v3/web", "container"],
    ["/v3/web/task", "task"],
    ["/v3/web/stats", "stats"],
    ["/v3/web/task/stats", "task-stats"],
  ] as const) {
    for (const asked of [path, `${path}/`]) {
      test(`${asked} serves a ${kind}`, async () => {
        const { status, json } = await app.ask(asked, SHOP_WEB);
        expect(status).toBe(200);
        if (kind === "container") expect(json.DockerId).toBe(id);
        if (kind === "stats") expect(json.id).toBe(id);
        if (kind === "task") {
          expect(json.Containers.map((c: { DockerName: string }) => c.DockerName)).toEqual(["shop-db-1", "shop-web-1"]);
        }
        if (kind === "task-stats") expect(Object.keys(json).sort()).toEqual([hexId("container shop-db-1"), id].sort());
      });
    }
  }
});

test("a container's document has the agent's keys, times to the nanosecond and the five labels", async () => {
  const { json } = await app.ask("/v3", SHOP_WEB);
  expect(json.CreatedAt).toBe("2026-01-02T03:04:05.123456789Z");
  expect(json.StartedAt).toBe("2026-01-02T03:04:05.678901234Z");
  expect(json.Limits).toEqual({ CPU: 2, Memory: 0 });
  expect(json.Networks).toEqual([{ NetworkMode: "shop_default", IPv4Addresses: [SHOP_WEB] }]);
  expect(Object.keys(json.Labels).filter((key) => key.startsWith("com.amazonaws.ecs."))).toHaveLength(5);
});

test("an exited container is answered by its name, with its exit code", async () => {
  const { json } = await app.ask("/v3/containers/shop-job-1", SHOP_WEB);
  expect([json.KnownStatus, json.DesiredStatus, json.ExitCode]).toEqual(["STOPPED", "STOPPED", 3]);
});

test("counters of 64 bits come out as the engine sent them", async () => {
  const { text } = await app.ask("/v3/stats", SHOP_WEB);
  expect(text).toContain("18446744073709551615");
  expect(text).toContain("9007199254740993");
});

test("a thousand requests cost the engine nothing", async () => {
  const before = engine.requests.filter((path) => path !== "/_ping").length;
  for (let i = 0; i < 1000; i += 1) await app.ask("/v3/task", SHOP_WEB);
  expect(engine.requests.filter((path) => path !== "/_ping")).toHaveLength(before);
});

describe("bad input is refused with what was wrong, and reaches nobody", () => {
  for (const [path, status, text] of [
    ["/v3/containers/nobody", 500, "nobody"],
    ["/v2/metadata/nobody", 400, "nobody"],
    ["/v3/nobody/stats", 400, "nobody"],
    ["/v4x", 404, "/v3"],
    ["/rolle/app", 404, "/role/<name>"],
    ["/role/", 400, "role"],
    ["/role/a%20b", 400, "a b"],
    ["/role/%zz", 400, "%"],
    [`/v3/${"x".repeat(2100)}`, 400, "2048"],
  ] as const) {
    test(`${path.slice(0, 40)} is ${status}`, async () => {
      const before = engine.requests.length;
      const answer = await app.ask(path, SHOP_WEB);
      expect([answer.status, answer.type]).toEqual([status, "application/json"]);
      expect(answer.text).toContain(text);
      expect(engine.requests.slice(before).filter((asked) => asked !== "/_ping")).toEqual([]);
    });
  }

  test("a name that means several lists them, and is the caller's own where it is among them", async () => {
    const { status, json } = await app.ask("/v3/containers/web", "127.0.0.1");
    expect(status).toBe(500);
    expect(json).toContain("blog-web-1, shop-web-1");
    expect((await app.ask("/v3/containers/web", "172.31.2.2")).json.DockerName).toBe("blog-web-1");
  });

  test("other methods, browsers, proxies and foreign hosts are refused, and their neighbours are not", async () => {
    expect((await app.ask("/creds", SHOP_WEB, { method: "POST" })).status).toBe(405);
    expect((await app.ask("/creds", SHOP_WEB, { method: "HEAD" })).status).toBe(200);
    const foreign: Record<string, string>[] = [
      { origin: "null" },
      { via: "1.1 x" },
      { "sec-fetch-mode": "cors" },
      { host: "evil.example" },
    ];
    for (const headers of foreign) {
      expect((await app.ask("/creds", SHOP_WEB, { headers })).status).toBe(403);
    }
    for (const host of ["localhost:51679", "ecs-local_endpoints", "[::1]:80", "host.docker.internal."]) {
      expect((await app.ask("/creds", SHOP_WEB, { headers: { host } })).status).toBe(200);
    }
  });
});

test("the guard stands before every route, and before what is none", async () => {
  const paths = [
    "/health",
    "/creds",
    "/creds/",
    "/role/x",
    "/role/a/b",
    "/role-arn/x",
    "/v2/credentials/x",
    "/nothing",
  ];
  for (const version of ["/v2/metadata", "/v2/metadata/x", "/v2/stats", "/v2/stats/x"])
    paths.push(version, `${version}/`);
  for (const base of ["/v3", "/v3/containers/x", "/v3/x"]) {
    for (const resource of ["", "/task", "/stats", "/task/stats"]) paths.push(base + resource, `${base}${resource}/`);
  }
  for (const path of paths) {
    expect((await app.ask(path, SHOP_WEB, { headers: { origin: "http://evil.example" } })).status, path).toBe(403);
    expect((await app.ask(path, SHOP_WEB, { headers: { host: "evil.example" } })).status, path).toBe(403);
    expect((await app.ask(path, SHOP_WEB, { method: "POST" })).status, path).toBe(405);
  }
});
