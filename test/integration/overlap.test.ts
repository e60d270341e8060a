import { afterEach, describe, expect, test } from "bun:test";
import { startApp } from "../support/app.ts";
import { container, hexId, withComposeProject } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { network, withNetwork } from "../support/networks.ts";

// Macvlan networks may overlap: then an address alone does not identify a container.
const subnet = { subnet: "172.31.6.0/24", gateway: "172.31.6.1" };
const ours = network({ name: "ours", ...subnet });
const theirs = network({ name: "theirs", ...subnet });
const ADDRESS = "172.31.6.2";
const on = (which: typeof ours, name: string, ipv4 = ADDRESS) => withNetwork(container({ name }), which, { ipv4 });

let engine: ReturnType<typeof startFakeEngine>;
let app: ReturnType<typeof startApp>;
async function start(containers: ReturnType<typeof on>[]): Promise<void> {
  engine = startFakeEngine({ networks: [ours, theirs], containers });
  app = startApp(engine.host);
  await app.inventory.ready();
}
afterEach(async () => {
  app.stop();
  await engine.stop();
});

describe("of two containers with one address", () => {
  test("none is answered", async () => {
    await start([on(ours, "near"), on(theirs, "far")]);
    expect((await app.ask("/v3", ADDRESS)).status).toBe(500);
  });

  test("an unidentified caller can still name a container in the path", async () => {
    const other = withComposeProject(on(ours, "shop-api-1", "172.31.6.7"), "shop", "api");
    await start([on(ours, "near"), on(theirs, "far"), other]);
    const ask = async (path: string) => {
      const { status, json } = await app.ask(path, ADDRESS);
      return json?.DockerName ?? `${status} ${json}`;
    };
    expect(await ask("/v4/api")).toBe("shop-api-1");
    expect(await ask("/v3/containers/op-api")).toBe("shop-api-1");
    expect(await ask("/v4/nope")).toStartWith("404 No container has 'nope'");
    expect(await ask("/v4")).toStartWith(`404 The request came from ${ADDRESS}, which several running containers have`);
  });

  test("the other is answered once one has ended", async () => {
    await start([on(ours, "near"), on(theirs, "far")]);
    await engine.stop("near");
    await Bun.sleep(20);
    expect((await app.ask("/v3", ADDRESS)).json.DockerName).toBe("far");
  });
});

describe("while a container that may have the same address is not inspected yet", () => {
  const FAR = `/containers/${hexId("container far")}/json`;
  const asked = async () => {
    const { status, json } = await app.ask("/v3", ADDRESS);
    return json?.DockerName ?? `${status} ${json}`;
  };
  const many = async () => new Set(await Promise.all(Array.from({ length: 5 }, asked)));

  test("the other waits, and is not answered when they have the same", async () => {
    await start([on(ours, "near")]);
    engine.faults.late = (path) => (path === FAR ? 400 : 0);
    engine.add(on(theirs, "far"));
    await Bun.sleep(30);
    const begin = performance.now();
    for (const answer of await many()) expect(answer).toStartWith("500 The request came from");
    expect(performance.now() - begin).toBeWithin(300, 1_000);
  });

  test("the other waits, and is answered when they have not", async () => {
    await start([on(ours, "near")]);
    engine.faults.late = (path) => (path === FAR ? 400 : 0);
    engine.add(on(theirs, "far", "172.31.6.3"));
    await Bun.sleep(30);
    expect([...(await many())]).toEqual(["near"]);
  });

  test("none is answered, with few requests to the engine, while its inspect fails", async () => {
    await start([on(ours, "near")]);
    engine.faults.garbage = (path) => path === FAR;
    engine.add(on(theirs, "far"));
    await Bun.sleep(30);
    const begin = performance.now();
    engine.requests.length = 0;
    for (const answer of await many()) expect(answer).toContain("503 The engine's answer");
    // At once: it may last, and clients give up after a second.
    expect([performance.now() - begin < 300, engine.requests.length < 20]).toEqual([true, true]);
    engine.faults.garbage = () => false;
    await Bun.sleep(600);
    await engine.stop("far");
    await Bun.sleep(20);
    expect(await asked()).toBe("near");
  });
});
