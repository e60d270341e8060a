import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { eventually, startApp } from "../support/app.ts";
import { container, withComposeProject } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { network, withNetwork } from "../support/networks.ts";

const PATH = "/api/task-protection/v1/state";
const of = (identifier: string) => `/api/${identifier}/task-protection/v1/state`;
const ON = '{"ProtectionEnabled":true,"ExpiresInMinutes":2880}';
const subnet = { subnet: "172.31.9.0/24", gateway: "172.31.9.1" };
const shop = network({ name: "shop_default", ...subnet });
const twin = network({ name: "twin", ...subnet });
const [GATEWAY, WEB, BLOG, CLAIMED, FREE] = ["172.31.9.1", "172.31.9.2", "172.31.9.3", "172.31.9.4", "172.31.9.5"];
const LISTED = "203.0.113.9";

const member = (project: string, ipv4: string, made = "", which = shop) => {
  const document = container({ name: `${project}-web-1`, id: `${project}${made}`.padEnd(64, "0") });
  return withNetwork(withComposeProject(document, project, project), which, { ipv4 });
};

let engine: ReturnType<typeof startFakeEngine>;
let app: ReturnType<typeof startApp>;
beforeEach(async () => {
  const owners = [member("one", CLAIMED), member("two", CLAIMED, "", twin)];
  engine = startFakeEngine({
    networks: [shop, twin],
    containers: [member("shop", WEB), member("blog", BLOG), ...owners],
  });
  app = startApp(engine.host, {
    guarded: {},
    env: { ECS_LOCAL_ALLOWED_NETWORKS: `${LISTED}/32,${FREE}/32` },
  });
  await app.inventory.ready();
});
afterEach(async () => {
  app.stop();
  await engine.stop();
});

const put = (from: string, path: string) => app.ask(path, from, { method: "PUT", body: ON });
const isProtected = async (path: string): Promise<boolean> => (await app.ask(path)).json.protection.ProtectionEnabled;

describe("who names the task to change", () => {
  for (const [who, from] of [
    ["the host", "127.0.0.1"],
    ["a gateway", GATEWAY],
    ["a listed network", LISTED],
    ["its own container", WEB],
  ] as const) {
    test(`as ${who} names it whole: by id, name or service, and not by a part of them`, async () => {
      for (const part of ["p-we", "shop-", "SHOP0"]) {
        expect((await app.ask(of(part), from)).status, part).toBe(200);
        const { status, json } = await put(from, of(part));
        expect([status, json.error.Code], part).toEqual([404, "ResourceNotFoundException"]);
        expect(json.error.Message).toContain(`'${part}' is only a part of: shop-web-1`);
        expect(json.error.Message).toContain("full container name");
      }
      expect(await isProtected(of("shop"))).toBe(false);
      for (const whole of ["shop".padEnd(64, "0"), "shop-web-1", "shop"]) {
        expect((await put(from, of(whole))).status, whole).toBe(200);
      }
      expect(await isProtected(of("shop"))).toBe(true);
    });
  }

  test("is told all that a part could mean", async () => {
    const { json } = await put("127.0.0.1", of("-web-"));
    expect(json.error.Message).toContain("blog-web-1, one-web-1, shop-web-1, two-web-1");
  });

  for (const [who, from] of [
    ["whose address two containers have", CLAIMED],
    ["of the engine's networks whom it does not list", FREE],
  ] as const) {
    test(`is refused ${who}, however the task is named`, async () => {
      const answers = await Promise.all([of("shop-web-1"), of("one-web-1"), PATH].map((path) => put(from, path)));
      for (const { status, json } of answers) {
        expect([status, json.error.Code]).toEqual([403, "AccessDeniedException"]);
        expect(json.error.Message).toContain(from);
      }
      expect((await app.ask(of("shop-web-1"), from)).json.protection.ProtectionEnabled).toBe(false);
    });
  }
});

describe("protection and the life of a task", () => {
  test("a project that is removed and made again is not protected", async () => {
    expect((await put(WEB, PATH)).status).toBe(200);
    engine.remove("shop-web-1");
    engine.add(member("shop", WEB, "1"));
    await eventually(async () => (await app.ask("/v3", WEB)).json.DockerId?.startsWith("shop1"), 2_000);
    expect((await app.ask(PATH, WEB)).json.protection).toMatchObject({
      ProtectionEnabled: false,
      ExpirationDate: null,
    });
  });

  test("one whose container stops and is started again is all the while", async () => {
    await put(WEB, PATH);
    await engine.stop("shop-web-1");
    await eventually(async () => (await app.ask("/v4/shop-web-1")).json.KnownStatus === "STOPPED", 2_000);
    expect(await isProtected(of("shop-web-1"))).toBe(true);
    engine.start("shop-web-1");
    await eventually(async () => (await app.ask("/v4/shop-web-1")).json.KnownStatus === "RUNNING", 2_000);
    expect(await isProtected(of("shop-web-1"))).toBe(true);
  });
});

test("projects without labels share the default ARN, and none shares another's protection, nor does the machine's task", async () => {
  await put("127.0.0.1", of("shop-web-1"));
  const answers = await Promise.all([of("shop-web-1"), of("blog-web-1"), PATH].map((path) => app.ask(path)));
  const states = answers.map(({ json }) => json.protection);
  expect(new Set(states.map(({ TaskArn }) => TaskArn)).size).toBe(1);
  expect(states.map(({ ProtectionEnabled }) => ProtectionEnabled)).toEqual([true, false, false]);
});
