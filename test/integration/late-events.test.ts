import { afterEach, expect, test } from "bun:test";
import { startApp } from "../support/app.ts";
import { container } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { network, withNetwork } from "../support/networks.ts";

const net = network({ name: "n", subnet: "172.31.5.0/24", gateway: "172.31.5.1" });
const ADDRESS = "172.31.5.2";
const NEVER = "0001-01-01T00:00:00Z";
const named = (name: string, ipv4 = ADDRESS) => withNetwork(container({ name }), net, { ipv4 });
const first = named("first");

let engine: ReturnType<typeof startFakeEngine>;
let app: ReturnType<typeof startApp>;
/** Podman's stream of events lags by 250 ms; here by so much that nothing waits for it. */
async function start(containers = [first], macAddressOf?: (address: string) => string | undefined): Promise<void> {
  engine = startFakeEngine({ networks: [net], containers, lateEventsMs: 10_000 });
  app = startApp(engine.host, macAddressOf ? { macAddressOf } : {});
  await app.inventory.ready();
  // What was inspected a moment ago is believed without a question.
  await Bun.sleep(50);
}
afterEach(async () => {
  app.stop();
  await engine.stop();
});

async function askAt(address: string) {
  const begun = performance.now();
  const { json } = await app.ask("/v3", address);
  expect(performance.now() - begun).toBeLessThan(300);
  return json.DockerName;
}

test("a container that starts is answered long before its event comes", async () => {
  await start();
  engine.add(named("new", "172.31.5.3"));
  expect(await askAt("172.31.5.3")).toBe("new");
});

test("a container that was created before is answered without any event of its start", async () => {
  const waiting = container({ name: "waiting", running: false, startedAt: NEVER });
  await start([first, waiting]);
  const running = withNetwork(container({ name: "waiting" }), net, { ipv4: "172.31.5.4" });
  const asked = askAt("172.31.5.4");
  engine.containers.set(waiting.Id, running);
  expect(await asked).toBe("waiting");
});

test("the address of a container that ended is never answered for it, whose end was not heard of", async () => {
  await start();
  expect(await askAt(ADDRESS)).toBe("first");
  await Bun.sleep(50);
  engine.remove("first");
  engine.add(named("next"));
  expect(await askAt(ADDRESS)).toBe("next");
});

test("a container whose hardware address the kernel sends to is answered without a question", async () => {
  const { MacAddress } = first.NetworkSettings.Networks.n ?? { MacAddress: "" };
  await start([first], () => MacAddress);
  const before = engine.requests.length;
  expect(await askAt(ADDRESS)).toBe("first");
  expect(engine.requests).toHaveLength(before);
});

test("a container is asked for where the kernel sends to another hardware address", async () => {
  await start([first], () => "02:00:00:00:00:99");
  engine.remove("first");
  engine.add(named("next"));
  expect(await askAt(ADDRESS)).toBe("next");
});

test("an event that comes again is applied once", async () => {
  await start();
  engine.add(named("new", "172.31.5.3"));
  expect(await askAt("172.31.5.3")).toBe("new");
  await Bun.sleep(100);
  const inspected = () => engine.count(/containers\/[0-9a-f]{64}\/json/);
  const before = inspected();
  const answer = app.ask("/v3", "172.31.5.77");
  await Bun.sleep(200);
  expect(engine.count("/events")).toBeGreaterThan(2);
  expect(inspected()).toBe(before);
  expect((await answer).status).toBe(500);
});
