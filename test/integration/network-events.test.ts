import { afterEach, expect, test } from "bun:test";
import { startApp } from "../support/app.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { network } from "../support/networks.ts";

const net = network({ name: "n", subnet: "172.31.4.0/24", gateway: "172.31.4.1" });
const GATEWAY = "172.31.4.1";

let engine: ReturnType<typeof startFakeEngine>;
let app: ReturnType<typeof startApp>;
afterEach(async () => {
  app.stop();
  await engine.stop();
});

/** Starts with an engine that answers a question for its networks, with what it had then, after `waitMs`. */
async function start(waitMs: (serial: number) => number): Promise<void> {
  engine = startFakeEngine();
  app = startApp(engine.host, { guarded: { own: ["192.0.2.1"] } });
  await app.inventory.ready();
  let serial = 0;
  engine.faults.late = (path) => (path === "/networks" ? waitMs(serial++) : 0);
}

function tell(action: "create" | "destroy"): void {
  if (action === "create") engine.networks.set(net.Id, net);
  else engine.networks.delete(net.Id);
  engine.emit({ Type: "network", Action: action, Actor: { ID: net.Id, Attributes: { name: "n" } } });
}

test("the gateway of a network that is gone gets no credentials, in whichever order the engine answers", async () => {
  await start((serial) => (serial === 0 ? 300 : 0));
  tell("create");
  await Bun.sleep(30);
  tell("destroy");
  await Bun.sleep(400);
  expect((await app.ask("/creds", GATEWAY)).status).toBe(403);
});

test("a burst of networks that come and go is a few questions, and the contact stays", async () => {
  await start(() => 100);
  engine.requests.length = 0;
  for (let round = 0; round < 500; round += 1) {
    tell("create");
    tell("destroy");
  }
  tell("create");
  await Bun.sleep(500);
  expect(engine.count("/networks")).toBeLessThanOrEqual(3);
  expect([app.inventory.contact(), engine.count("/events")]).toEqual(["connected", 0]);
  expect((await app.ask("/creds", GATEWAY)).status).toBe(200);
});
