import { afterEach, describe, expect, test } from "bun:test";
import { eventually, startApp } from "../support/app.ts";
import { container, withComposeProject } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { type FrameOptions, statsFrame } from "../support/fake-engine-stats.ts";
import { network, withNetwork } from "../support/networks.ts";

const net = network({ name: "shop_default", subnet: "172.31.4.0/24", gateway: "172.31.4.1" });
const member = (project: string, service: string, ipv4: string) =>
  withNetwork(withComposeProject(container({ name: `${project}-${service}-1` }), project, service), net, { ipv4 });

const SHOP = Array.from({ length: 10 }, (_, n) => member("shop", `s${n}`, `172.31.4.${n + 2}`));
const OTHERS = Array.from({ length: 90 }, (_, n) => member(`other${n % 9}`, `s${n}`, `172.31.4.${n + 20}`));
const SHOP_IDS = SHOP.map(({ Id }) => Id).sort();
const ADDRESS = "172.31.4.2";
const [FIRST, SECOND] = [SHOP[0]?.Id ?? "", SHOP[1]?.Id ?? ""];
const MAX = "18446744073709551615";

const ofContainer = (version: string) => ["", "/s0", "/containers/s0"].map((who) => `/${version}${who}/stats`);
const ofTask = (version: string) => ["", "/s0", "/containers/s0"].map((who) => `/${version}${who}/task/stats`);
const CONTAINER_STATS = ["/v2/stats/s0", ...ofContainer("v3"), ...ofContainer("v4")];
const TASK_STATS = ["/v2/stats", ...ofTask("v3"), ...ofTask("v4")];
const isV4 = (path: string) => path.startsWith("/v4");

let engine: ReturnType<typeof startFakeEngine>;
let app: ReturnType<typeof startApp>;

async function start(
  stats: FrameOptions = {},
  options: { now?: () => number; statsIntervalMs?: number; streamsMax?: number } = {},
) {
  const { statsIntervalMs = 20, ...rest } = options;
  engine = startFakeEngine({ networks: [net], containers: [...SHOP, ...OTHERS], statsIntervalMs, stats });
  app = startApp(engine.host, rest);
  await app.inventory.ready();
}

afterEach(async () => {
  app.stop();
  await engine.stop();
});

const get = (path: string) => app.ask(path, ADDRESS);

/** Every member has a sample with rates. */
async function warm(): Promise<void> {
  const hasRates = (sample: { network_rate_stats?: unknown }) => sample.network_rate_stats !== undefined;
  await eventually(async () => Object.values<object>((await get("/v4/task/stats")).json).every(hasRates), 5_000);
}

describe("a task's stats", () => {
  test("of ten members among a hundred containers have ten keys, and ask the engine for no other", async () => {
    await start();
    for (const path of TASK_STATS) expect(Object.keys((await get(path)).json).sort(), path).toEqual(SHOP_IDS);
    const asked = engine.requests.filter((path) => path.endsWith("/stats"));
    expect(asked.map((path) => path.split("/")[2] ?? "").sort()).toEqual(SHOP_IDS);
  });

  test("are answered from memory once they are warm, within 20 ms", async () => {
    await start({}, { statsIntervalMs: 1_000 });
    await warm();
    const before = engine.requests.filter((path) => path !== "/_ping").length;
    for (const path of [...TASK_STATS, ...CONTAINER_STATS]) {
      const begin = performance.now();
      for (let n = 0; n < 20; n += 1) await get(path);
      expect((performance.now() - begin) / 20, path).toBeLessThan(20);
    }
    expect(engine.requests.filter((path) => path !== "/_ping")).toHaveLength(before);
  });

  test("keep the key of a member that stops, without stats, and the others have theirs throughout", async () => {
    const clock = { aheadMs: 0 };
    await start({}, { now: () => Date.now() + clock.aheadMs });
    await warm();
    await engine.stop(SECOND);
    const begin = performance.now();
    for (const path of [...TASK_STATS, ...TASK_STATS, ...TASK_STATS]) {
      const { status, json } = await get(path);
      expect([status, Object.keys(json).sort()]).toEqual([200, SHOP_IDS]);
      const without = Object.keys(json).filter((id) => json[id]?.read === undefined);
      // The event of its end is on its way for a moment.
      if (without.length > 0 || performance.now() - begin > 500) expect(without).toEqual([SECOND]);
      if (without.length > 0) expect(json[SECOND]).toEqual(isV4(path) ? {} : null);
    }
    const isWithout = async () => (await get("/v4/task/stats")).json[SECOND]?.read === undefined;
    await eventually(isWithout, 2_000);
    clock.aheadMs = 59_000;
    for (const path of TASK_STATS) expect((await get(path)).json, path).toHaveProperty(SECOND);
    clock.aheadMs = 61_000;
    for (const path of TASK_STATS) expect((await get(path)).json, path).not.toHaveProperty(SECOND);
  });
});

test("members beyond the streams that there may be have none, which is said once until there is room", async () => {
  await start({}, { streamsMax: 3 });
  const said = () => {
    app.flush();
    return app.lines.join("").split("all streams of statistics are in use").length - 1;
  };
  const withStats = async () => {
    const samples = Object.values<object | null>((await get("/v4/task/stats")).json);
    expect(Object.values((await get("/v3/task/stats")).json).filter((sample) => sample === null)).toHaveLength(7);
    return samples.filter((sample) => Object.keys(sample ?? {}).length > 0).length;
  };
  await eventually(async () => (await withStats()) === 3, 2_000);
  expect(said()).toBe(1);
  await engine.stop(SECOND);
  await eventually(async () => (await withStats()) === 3 && said() === 2, 5_000);
  await withStats();
  expect(said()).toBe(2);
});

describe("counters of 64 bits come out as they went in", () => {
  for (const [title, options] of [
    ["on cgroup v1", { cgroup: 1 }],
    ["on cgroup v2", { cgroup: 2 }],
    ["from Podman", { podman: true }],
    ["in what is edited", { cgroup: 2, sparse: true }],
  ] as const) {
    test(`${title}, on every route`, async () => {
      await start({ ...options, rxBytes: () => BigInt(MAX) });
      await warm();
      // Every number, in order, but for those that count on with each frame.
      const big = (text: string): string[] => text.match(/\b\d{19,}\b/g) ?? [];
      const sent = big(statsFrame(SHOP[0] ?? member("", "", ""), 2, { ...options, rxBytes: () => BigInt(MAX) }));
      expect(sent).toContain(MAX);
      for (const path of CONTAINER_STATS) expect(big((await get(path)).text), path).toEqual(sent);
      for (const path of TASK_STATS) {
        expect(big((await get(path)).text), path).toEqual(Array.from({ length: 10 }, () => sent).flat());
      }
    });
  }
});

describe("rates", () => {
  test("are of the two latest samples in V4, and in no other version", async () => {
    await start({ since: Date.parse("2026-01-02T03:04:05Z") });
    await warm();
    const rates = { rx_bytes_per_sec: 100, tx_bytes_per_sec: 50 };
    for (const path of CONTAINER_STATS) {
      expect((await get(path)).json.network_rate_stats, path).toEqual(isV4(path) ? rates : undefined);
    }
    for (const path of TASK_STATS) {
      for (const sample of Object.values<{ network_rate_stats?: unknown }>((await get(path)).json)) {
        expect(sample.network_rate_stats, path).toEqual(isV4(path) ? rates : undefined);
      }
    }
  });

  test("are absent until the second sample, which V4 does not wait for", async () => {
    await start({}, { statsIntervalMs: 1_000 });
    expect((await get("/v4/stats")).text).toBe("{}");
    await eventually(async () => (await get("/v4/stats")).text !== "{}", 800);
    const { json } = await get("/v4/stats");
    expect([json.preread, json.network_rate_stats]).toEqual(["0001-01-01T00:00:00Z", undefined]);
    await eventually(async () => (await get("/v4/stats")).json.network_rate_stats !== undefined, 2_000);
  });

  test("are absent without a network", async () => {
    await start();
    engine.add(withComposeProject(container({ name: "alone" }), "alone", "alone"));
    await eventually(async () => (await get("/v3/containers/alone/stats")).json?.precpu_stats !== undefined, 3_000);
    const { json } = await get("/v4/containers/alone/stats");
    expect([json.networks, json.network_rate_stats]).toEqual([undefined, undefined]);
  });
});

describe("an engine that sends no sample", () => {
  test("leaves V4 with an empty object at once, and V2 and V3 with null in time", async () => {
    await start();
    engine.faults.hold = (path) => path.includes(FIRST) && path.endsWith("/stats");
    for (const [path, expected] of [
      ["/v4/stats", "{}"],
      ["/v3/stats", "null"],
      ["/v2/stats/s0", "null"],
    ] as const) {
      const begin = performance.now();
      const { status, text } = await get(path);
      const tookMs = performance.now() - begin;
      expect([status, text]).toEqual([200, expected]);
      if (isV4(path)) expect(tookMs).toBeLessThan(200);
      else expect(tookMs).toBeWithin(1_150, 2_000);
    }
  });

  test("for one member leaves the others theirs", async () => {
    await start();
    engine.faults.hold = (path) => path.includes(FIRST) && path.endsWith("/stats");
    for (const path of ["/v2/stats", "/v3/task/stats", "/v4/task/stats"]) {
      const { json } = await get(path);
      expect(json[FIRST]).toEqual(isV4(path) ? {} : null);
      for (const id of SHOP_IDS) if (id !== FIRST) expect(json[id].id, path).toBe(id);
    }
  });

  test("but half of one leaves an answer that is whole", async () => {
    await start();
    await warm();
    engine.faults.halfLine = true;
    await eventually(() => engine.openStreams("stats") === 0, 1_000);
    engine.faults.halfLine = false;
    for (const path of [...CONTAINER_STATS, ...TASK_STATS]) {
      const { status, json } = await get(path);
      expect([status, typeof json], path).toEqual([200, "object"]);
    }
    await warm();
  });

  test("but something else leaves V4 with an empty object and V3 with null", async () => {
    await start();
    engine.faults.garbage = (path) => path.endsWith("/stats");
    expect([(await get("/v4/stats")).text, (await get("/v3/stats")).text]).toEqual(["{}", "null"]);
    engine.faults.garbage = () => false;
    await warm();
  });
});

describe("a document", () => {
  test("of Docker on cgroup v2 has block operations as clients look for them, and is else Docker's", async () => {
    await start({ cgroup: 2 });
    await warm();
    for (const path of CONTAINER_STATS) {
      const { json } = await get(path);
      expect(json.blkio_stats, path).toMatchObject({
        io_service_bytes_recursive: [{ op: "Read" }, { op: "Write" }],
        io_serviced_recursive: null,
      });
      expect(json.cpu_stats.cpu_usage).not.toHaveProperty("percpu_usage");
      expect(json.memory_stats).not.toHaveProperty("max_usage");
      expect(json.memory_stats.stats).toMatchObject({ anon: 45_056, inactive_file: 0 });
    }
  });

  test("of Docker on cgroup v1 is Docker's own text", async () => {
    await start({ cgroup: 1, since: Date.parse("2026-01-02T03:04:05Z") });
    await warm();
    const { text, json } = await get("/v3/stats");
    const count = (Date.parse(json.read) - Date.parse("2026-01-02T03:04:05Z")) / 1_000;
    const sent = statsFrame(SHOP[0] ?? member("", "", ""), Math.floor(count), {
      cgroup: 1,
      since: Date.parse("2026-01-02T03:04:05Z"),
    });
    expect(text).toBe(sent);
  });

  test("of Podman has the id that samples are joined by", async () => {
    await start({ podman: true });
    await warm();
    for (const path of CONTAINER_STATS) expect((await get(path)).json, path).toMatchObject({ id: FIRST });
  });

  test("without the counters that clients read has them as 0", async () => {
    await start({ cgroup: 2, sparse: true });
    await warm();
    for (const path of CONTAINER_STATS) {
      const { json } = await get(path);
      for (const { cpu_usage } of [json.cpu_stats, json.precpu_stats]) {
        expect(cpu_usage, path).toMatchObject({ usage_in_kernelmode: 0, usage_in_usermode: 0 });
      }
      expect(Object.keys(json.networks.eth0).sort(), path).toEqual(
        ["rx", "tx"].flatMap((way) => ["bytes", "dropped", "errors", "packets"].map((what) => `${way}_${what}`)),
      );
      expect(json.blkio_stats.io_service_bytes_recursive, path).toEqual(
        ["Read", "Write"].map((op) => ({ major: 8, minor: 0, op, value: 0 })),
      );
    }
  });
});
