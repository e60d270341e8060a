import { afterEach, expect, test } from "bun:test";
import { eventually, startApp } from "../support/app.ts";
import { container } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { network, withNetwork } from "../support/networks.ts";

// Podman 4 has no events of networks: one that was just made is found by reading them anew, at most every 250 ms.
const net = network({ name: "n", subnet: "172.31.4.0/24", gateway: "172.31.4.1" });
const ADDRESS = "172.31.4.2";
const OUTSIDER = "203.0.113.9";
const guarded = { own: ["192.0.2.1"] };

let engine: ReturnType<typeof startFakeEngine>;
let app: ReturnType<typeof startApp>;
afterEach(async () => {
  app.stop();
  await engine.stop();
});

async function start() {
  engine = startFakeEngine({ lateEventsMs: 100 });
  app = startApp(engine.host, { guarded });
  await app.inventory.ready();
}

/** Makes the network and runs a container on it, without an event of the first. */
function make() {
  engine.networks.set(net.Id, net);
  engine.add(withNetwork(container({ name: "web" }), net, { ipv4: ADDRESS }));
}

test("a container on a network that was made since another one's question is let in and known", async () => {
  await start();
  expect((await app.ask("/v3", OUTSIDER)).status).toBe(403);
  make();
  // No engine makes a network, and runs a program on it, in less.
  await Bun.sleep(30);
  expect((await app.ask("/v3", ADDRESS)).json).toMatchObject({ DockerName: "web" });
});

test("a caller is told to come again, and not refused, while the engine cannot be asked", async () => {
  await start();
  make();
  engine.faults.hold = (path) => path !== "/_ping";
  const begin = performance.now();
  expect((await app.ask("/v3", ADDRESS)).status).toBe(503);
  expect(performance.now() - begin).toBeLessThan(1_000);
  engine.faults.hold = false;
});

test("the gateway of a network that is gone is soon not a gateway any more, without an event", async () => {
  await start();
  make();
  await Bun.sleep(30);
  expect((await app.ask("/v3", ADDRESS)).status).toBe(200);
  expect((await app.ask("/creds", net.IPAM.Config[0]?.Gateway)).status).toBe(200);
  engine.remove("web");
  engine.networks.delete(net.Id);
  await eventually(async () => (await app.ask("/creds", net.IPAM.Config[0]?.Gateway)).status === 403, 4_000);
}, 10_000);
