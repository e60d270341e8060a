import { afterEach, describe, expect, setSystemTime, test } from "bun:test";
import { eventually, startApp } from "../support/app.ts";
import { container } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { network, withNetwork } from "../support/networks.ts";

const net = network({ name: "n", subnet: "172.31.3.0/24", gateway: "172.31.3.1" });
const named = (name: string, ipv4: string) => withNetwork(container({ name }), net, { ipv4 });
const ADDRESS = "172.31.3.2";

let engine: ReturnType<typeof startFakeEngine>;
let app: ReturnType<typeof startApp>;
async function start(options: { streamsMax?: number } = {}): Promise<void> {
  engine = startFakeEngine({
    networks: [net],
    containers: [named("a", ADDRESS), named("b", "172.31.3.3")],
    statsIntervalMs: 50,
  });
  app = startApp(engine.host, options);
  await app.inventory.ready();
}
afterEach(async () => {
  app.stop();
  await engine.stop();
});
const nameAt = async (address: string) => (await app.ask("/v3", address)).json?.DockerName;

describe("a container that comes or goes", () => {
  test("is answered although the engine lists it only later", async () => {
    await start();
    const asked = app.ask("/v3", "172.31.3.9");
    await Bun.sleep(100);
    engine.containers.set("c".repeat(64), { ...named("late", "172.31.3.9"), Id: "c".repeat(64) });
    expect((await asked).json.DockerName).toBe("late");
  });

  test("is asked for once however many requests wait for it", async () => {
    await start();
    engine.add(named("new", "172.31.3.9"));
    const answers = await Promise.all(Array.from({ length: 100 }, () => app.ask("/v3", "172.31.3.9")));
    expect(new Set(answers.map(({ json }) => json.DockerName))).toEqual(new Set(["new"]));
    expect(engine.count(/containers\/[0-9a-f]{64}\/json/)).toBeLessThan(10);
  });

  test("gives its address to the next one and is never answered for it", async () => {
    await start();
    engine.remove("a");
    engine.add(named("next", ADDRESS));
    // An event of a real engine is a millisecond on its way, and a container takes many to start.
    await Bun.sleep(5);
    expect(await nameAt(ADDRESS)).toBe("next");
  });

  test("that has another's address gets no data, within a second", async () => {
    await start();
    engine.add(named("twin", ADDRESS));
    await Bun.sleep(50);
    const begin = performance.now();
    expect((await app.ask("/v3", ADDRESS)).status).toBe(500);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });

  test("that is gone between list and inspect is left out", async () => {
    await start();
    engine.faults.inspect404(named("a", ADDRESS).Id);
    engine.faults.dropEvents();
    await eventually(() => !app.inventory.store.containers.has(named("a", ADDRESS).Id), 2_000);
    expect(await nameAt("172.31.3.3")).toBe("b");
  });

  test("that dies in the middle of its stats leaves the others theirs", async () => {
    await start();
    await app.ask("/v3/task/stats");
    await engine.stop("a");
    await eventually(async () => (await app.ask("/v3/task/stats")).json[named("b", "").Id]?.read !== undefined, 2_000);
    await eventually(() => engine.openStreams("stats") === 1, 2_000);
    await eventually(async () => (await app.ask("/v3/containers/a/stats")).status === 400, 2_000);
  });
});

describe("an engine that fails", () => {
  test("stops and comes back: 503 with the reason within a second, then right within 2 s", async () => {
    await start();
    await engine.faults.down();
    await Bun.sleep(50);
    const begin = performance.now();
    const refused = await app.ask("/v3", ADDRESS);
    expect(performance.now() - begin).toBeLessThan(1_000);
    expect(refused.status).toBe(503);
    expect(refused.json).toContain(engine.socketPath);
    engine.faults.up();
    await eventually(async () => (await nameAt(ADDRESS)) === "a", 2_000);
  });

  test("cuts its events: what happened meanwhile is known after", async () => {
    await start();
    engine.faults.dropEvents();
    engine.containers.delete(named("a", "").Id);
    await eventually(async () => (await app.ask("/v3", ADDRESS)).status === 500, 2_000);
  });

  test("sends half a line of an event and is asked anew", async () => {
    await start();
    engine.faults.halfLine = true;
    engine.add(named("new", "172.31.3.9"));
    engine.faults.halfLine = false;
    await eventually(async () => (await nameAt("172.31.3.9")) === "new", 2_000);
  });

  test("is silent: who is asked for by name is answered from memory, the rest get 503, and all is right again", async () => {
    await start();
    engine.faults.hold = true;
    await eventually(() => !app.inventory.isCurrent(), 4_000);
    expect((await app.ask("/v3/containers/a")).json.DockerName).toBe("a");
    // Its address may be another container's by now.
    for (const address of [ADDRESS, "172.31.3.77"]) {
      const begin = performance.now();
      expect((await app.ask("/v3", address)).status).toBe(503);
      expect(performance.now() - begin).toBeLessThan(1_000);
    }
    engine.faults.hold = false;
    engine.containers.set("d".repeat(64), { ...named("d", "172.31.3.77"), Id: "d".repeat(64) });
    await eventually(async () => (await nameAt("172.31.3.77")) === "d", 3_000);
  }, 15_000);

  test("sends an answer without end: it is refused by the name of the socket", async () => {
    engine = startFakeEngine({ networks: [net], containers: [] });
    engine.faults.endlessBody = true;
    app = startApp(engine.host);
    await eventually(async () => (await app.ask("/v3", ADDRESS)).text.includes("32 MiB"), 8_000);
    expect((await app.ask("/v3", ADDRESS)).json).toContain(engine.socketPath);
  }, 15_000);

  test("accepts and never answers: 503 within a second", async () => {
    engine = startFakeEngine();
    engine.faults.hold = true;
    app = startApp(engine.host);
    const begin = performance.now();
    expect((await app.ask("/v3", ADDRESS)).status).toBe(503);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });

  test("is not there: credentials are returned, and it is picked up when it appears", async () => {
    engine = startFakeEngine({ networks: [net], containers: [named("a", ADDRESS)] });
    await engine.faults.down();
    app = startApp(engine.host);
    expect((await app.ask("/creds", ADDRESS)).status).toBe(200);
    expect((await app.ask("/v3", ADDRESS)).status).toBe(503);
    engine.faults.up();
    await eventually(async () => (await nameAt(ADDRESS)) === "a", 2_000);
  });
});

test("at the cap of streams the members beyond it have null, and one line says so", async () => {
  await start({ streamsMax: 1 });
  const { json } = await app.ask("/v3/task/stats");
  expect(Object.values(json).filter((sample) => sample === null)).toHaveLength(1);
  expect(engine.openStreams("stats")).toBe(1);
  await app.ask("/v3/task/stats");
  app.flush();
  const said = app.lines
    .join("")
    .split("\n")
    .filter((line) => line.includes("all streams of statistics are in use"));
  expect(said).toHaveLength(1);
});

describe("what cannot be told is not told", () => {
  test("a container whose address may be another's is not answered when the engine does not confirm it", async () => {
    await start();
    const starting = named("starting", "172.31.3.8");
    // What was inspected a moment ago is believed: no engine gives an address to another container in that time.
    await Bun.sleep(50);
    engine.faults.hold = (path) => path.startsWith("/containers/");
    engine.add(starting);
    await eventually(() => !app.inventory.isCurrent(), 1_000);
    const begin = performance.now();
    const answer = await app.ask("/v3", ADDRESS);
    expect(answer.json?.DockerName).toBeUndefined();
    expect(answer.status).toBe(503);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });

  test("an unknown id is 503 while a silent engine was not noticed yet", async () => {
    await start();
    engine.faults.hold = true;
    const begin = performance.now();
    expect((await app.ask("/v3/containers/unlisted")).status).toBe(503);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });

  test("a request that comes while the engine is being pinged waits no longer than any other", async () => {
    await start();
    engine.faults.hold = true;
    await app.ask("/health");
    await eventually(() => engine.count("/_ping") > 0, 4_000);
    await Bun.sleep(50);
    engine.add(named("starting", "172.31.3.8"));
    const begin = performance.now();
    expect((await app.ask("/v3/containers/unlisted")).status).toBe(503);
    expect(performance.now() - begin).toBeLessThan(1_000);
  }, 10_000);

  test("an engine that answers 404 to everything is 503, not an unknown container", async () => {
    engine = startFakeEngine();
    const other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("nothing", { status: 404 }) });
    app = startApp(`tcp://127.0.0.1:${other.port}`);
    const answer = await app.ask("/v3", ADDRESS);
    expect([answer.status, answer.json]).toEqual([503, expect.stringContaining(`tcp://127.0.0.1:${other.port}`)]);
    await other.stop(true);
  });

  test("a clock that is set back delays no request", async () => {
    await start();
    const asked = app.ask("/v3", "172.31.3.77");
    setSystemTime(new Date(Date.now() - 3_600_000));
    const begin = performance.now();
    await asked;
    setSystemTime();
    expect(performance.now() - begin).toBeLessThan(1_500);
  });
});

test("an engine is reached over TCP, past a proxy that is set for the internet", async () => {
  engine = startFakeEngine({ networks: [net], containers: [named("a", ADDRESS)] });
  const relay = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: (request) => {
      const { pathname, search } = new URL(request.url);
      return fetch(`http://engine${pathname}${search}`, { unix: engine.socketPath, signal: request.signal });
    },
  });
  const proxy = process.env.HTTP_PROXY;
  process.env.HTTP_PROXY = "http://127.0.0.1:9";
  app = startApp(`tcp://127.0.0.1:${relay.port}`);
  await eventually(async () => (await nameAt(ADDRESS)) === "a", 2_000);
  if (proxy === undefined) delete process.env.HTTP_PROXY;
  else process.env.HTTP_PROXY = proxy;
  await relay.stop(true);
});
