import { afterEach, describe, expect, test } from "bun:test";
import { eventually, startApp } from "../support/app.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import {
  DB,
  GATEWAY,
  GATEWAY_IPV6,
  LAN_NEIGHBOUR,
  machine,
  OUTSIDER,
  OWN_ID,
  onBridge,
  WEB,
} from "../support/guarded-machine.ts";

type AppOptions = NonNullable<Parameters<typeof startApp>[1]>;
const NO_ENGINE = "unix:///nonexistent/docker.sock";
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function start(host: string, options: AppOptions = {}) {
  const app = startApp(host, { guarded: {}, ...options });
  stops.push(app.stop);
  const statusOf = async (address: string, headers = {}) => (await app.ask("/creds", address, { headers })).status;
  return { ...app, statusOf };
}

async function startWithEngine(options: AppOptions = {}) {
  const engine = startFakeEngine(machine());
  stops.push(() => engine.stop());
  const app = start(engine.host, options);
  await app.inventory.ready();
  return { engine, ...app };
}

describe("a caller on an engine's network", () => {
  test("is answered once it runs, and refused once it has ended", async () => {
    const { engine, statusOf } = await startWithEngine();
    expect(await statusOf("172.31.7.20")).toBe(403);
    engine.add(onBridge("shop-new-1", "172.31.7.20"));
    expect(await statusOf("172.31.7.20")).toBe(200);
    engine.remove("shop-new-1");
    await Bun.sleep(50);
    expect(await statusOf("172.31.7.20")).toBe(403);
  });

  test("that starts is waited for", async () => {
    const { engine, statusOf } = await startWithEngine();
    const asked = statusOf("172.31.7.21");
    await Bun.sleep(200);
    engine.add(onBridge("shop-late-1", "172.31.7.21"));
    expect(await asked).toBe(200);
  });

  test("that was waited for is asked all other rules as well", async () => {
    const { engine, statusOf } = await startWithEngine();
    const asked = [{ host: "evil.example" }, { origin: "null" }].map((headers) => statusOf("172.31.7.22", headers));
    await Bun.sleep(100);
    engine.add(onBridge("shop-late-1", "172.31.7.22"));
    expect(await Promise.all(asked)).toEqual([403, 403]);
    expect(await statusOf("172.31.7.22")).toBe(200);
  });

  test("is one of a hundred that start at once, all of them answered within a second", async () => {
    const { engine, ask } = await startWithEngine();
    const fleet = Array.from({ length: 100 }, (_, index) => `172.31.7.${index + 100}`);
    const begun = performance.now();
    const asking = fleet.map((address) => ask("/creds", address));
    fleet.forEach((address, index) => {
      engine.add(onBridge(`shop-fleet${index}-1`, address));
    });
    const answers = await Promise.all(asking);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  test("that no container is costs the engine one question at a time, however often it asks", async () => {
    const { engine, statusOf } = await startWithEngine();
    const before = engine.requests.length;
    await Promise.all(Array.from({ length: 200 }, () => statusOf(LAN_NEIGHBOUR)));
    expect(engine.requests.length - before).toBeLessThan(40);
  });

  test("that is known costs the engine nothing, and no wait", async () => {
    const { engine, statusOf } = await startWithEngine();
    const asked = () => engine.requests.filter((path) => path !== "/_ping").length;
    const before = asked();
    for (const from of [WEB.address, DB.address, GATEWAY, GATEWAY_IPV6, "127.0.0.1", "::1"]) {
      expect(await statusOf(from), from).toBe(200);
    }
    expect(asked()).toBe(before);
  });
});

describe("an engine that is lost", () => {
  test("leaves its last addresses known, and says of others that it would have to tell", async () => {
    const { engine, ask, statusOf, inventory } = await startWithEngine();
    await engine.stop();
    await eventually(() => !inventory.isCurrent(), 3_000);
    expect([await statusOf(WEB.address), await statusOf(GATEWAY), await statusOf("127.0.0.1")]).toEqual([
      200, 200, 200,
    ]);
    const unknown = await ask("/creds", "172.31.7.77");
    expect([unknown.status, unknown.json.code]).toEqual([503, "EngineUnavailable"]);
    expect(await statusOf(OUTSIDER)).toBe(403);
  }, 10_000);
});

describe("where no engine was ever reached", () => {
  const inContainer = { inContainer: true, own: ["172.31.9.2"], ownSubnets: ["172.31.9.0/24"] };
  test("a container's own networks count", async () => {
    const { statusOf } = start(NO_ENGINE, { guarded: inContainer });
    expect(await statusOf("172.31.9.5")).toBe(200);
    expect(await statusOf("172.31.10.5")).toBe(403);
    expect(await statusOf("127.0.0.1")).toBe(200);
  });
  test("a host's own networks do not", async () => {
    const { statusOf } = start(NO_ENGINE, { guarded: { ...inContainer, inContainer: false } });
    expect(await statusOf("172.31.9.5")).toBe(403);
    expect(await statusOf("172.31.9.2")).toBe(200);
    expect(await statusOf("127.0.0.1")).toBe(200);
  });
  test("a network that is listed counts", async () => {
    const env = { ECS_LOCAL_ALLOWED_NETWORKS: "10.0.0.0/8 fd00::/8" };
    const { statusOf } = start(NO_ENGINE, { env });
    expect([await statusOf("10.1.2.3"), await statusOf("fd12::1"), await statusOf("11.1.2.3")]).toEqual([
      200, 200, 403,
    ]);
  });
});

describe("ECS_LOCAL_REFUSE_GATEWAY", () => {
  const env = { ECS_LOCAL_REFUSE_GATEWAY: "1", ECS_LOCAL_ALLOWED_NETWORKS: "172.31.0.0/16" };
  test("refuses a gateway at once, even of a network that is listed, and no container", async () => {
    const { statusOf } = await startWithEngine({ env });
    const begun = performance.now();
    expect([await statusOf(GATEWAY), await statusOf(GATEWAY_IPV6)]).toEqual([403, 403]);
    expect(performance.now() - begun).toBeLessThan(300);
    expect([await statusOf(WEB.address), await statusOf("127.0.0.1"), await statusOf("172.31.200.1")]).toEqual([
      200, 200, 200,
    ]);
  });
  test("does so from the first request on", async () => {
    const engine = startFakeEngine(machine());
    stops.push(() => engine.stop());
    expect(await start(engine.host, { env }).statusOf(GATEWAY)).toBe(403);
  });
});

describe("a name of our own container", () => {
  test("is a Host that is ours, alone and with its network's name behind it", async () => {
    const { statusOf } = await startWithEngine({ ownId: OWN_ID });
    for (const host of ["metadata.corp", "endpoints.shop_default:80", "METADATA.corp.shop_default."]) {
      expect(await statusOf(WEB.address, { host }), host).toBe(200);
    }
    for (const host of ["endpoints.blog_default", "shop-web-1.shop_default", "x.metadata.corp"]) {
      expect(await statusOf(WEB.address, { host }), host).toBe(403);
    }
  });
  test("is none where we run in no container", async () => {
    expect(await (await startWithEngine()).statusOf(WEB.address, { host: "metadata.corp" })).toBe(403);
  });
});
