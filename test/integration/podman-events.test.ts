import { afterEach, expect, test } from "bun:test";
import { eventually, startApp } from "../support/app.ts";
import { container } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { network, withNetwork } from "../support/networks.ts";

const net = network({ name: "n", subnet: "172.31.4.0/24", gateway: "172.31.4.1" });
const ADDRESS = "172.31.4.2";
const alone = container({ name: "a" });
const attached = withNetwork(alone, net, { ipv4: ADDRESS });

let engine: ReturnType<typeof startFakeEngine>;
let app: ReturnType<typeof startApp>;
afterEach(async () => {
  app.stop();
  await engine.stop();
});

/** The form of Podman 4.3: the actor is the container, and no attribute names it. */
const emit = (action: string) =>
  engine.emit({ Type: "network", Action: action, Actor: { ID: alone.Id, Attributes: { name: "a", image: "" } } });

test("a container that leaves a network by Podman's event loses its address", async () => {
  engine = startFakeEngine({ networks: [net], containers: [attached] });
  app = startApp(engine.host);
  await app.inventory.ready();
  expect((await app.ask("/v3", ADDRESS)).json.DockerName).toBe("a");
  engine.containers.set(alone.Id, alone);
  emit("disconnect");
  await eventually(() => app.inventory.store.ownersOf(ADDRESS).length === 0, 1_000);
});

test("a container that joins a network by Podman's event is known at its address", async () => {
  engine = startFakeEngine({ networks: [net], containers: [alone] });
  app = startApp(engine.host);
  await app.inventory.ready();
  engine.containers.set(alone.Id, attached);
  emit("connect");
  await eventually(() => app.inventory.store.ownersOf(ADDRESS).length === 1, 1_000);
});
