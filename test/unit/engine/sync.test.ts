import { describe, expect, test } from "bun:test";
import type { Engine } from "../../../src/engine/client.ts";
import { toContainer } from "../../../src/engine/container.ts";
import { createContainerStore } from "../../../src/engine/container-store.ts";
import type { Place } from "../../../src/engine/discover.ts";
import type { EngineEvent } from "../../../src/engine/schema.ts";
import { createSync } from "../../../src/engine/sync.ts";
import { AppError } from "../../../src/errors.ts";
import type { Log } from "../../../src/log.ts";
import { container } from "../../support/containers.ts";
import { network, withNetwork } from "../../support/networks.ts";

const ipv6 = { subnet: "fd00::/64", gateway: "FD00:0::1" };
const net = network({ name: "n", subnet: "10.0.0.0/24", gateway: "10.0.0.1", ipv6 });
const at = (id: string, ipv4: string, running = true) =>
  withNetwork(container({ name: id, id, running }), net, running ? { ipv4 } : {});
const quiet = () => {};
const log: Log = { debug: quiet, info: quiet, warning: quiet, error: quiet, flush: quiet };

/** A session whose engine gives `answers`, and never answers for what is not among them. The store has `a`. */
function setup(answers: Record<string, unknown> = {}, place: Place = { addressesAreLocal: true, isCertain: true }) {
  const asked: string[] = [];
  const engine: Partial<Engine> = {
    target: "unix:///run/x.sock",
    place,
    needsCatchUp: false,
    get(path) {
      asked.push(path);
      const answer = answers[path];
      if (answer instanceof Error) return Promise.reject(answer);
      return answer === undefined ? new Promise(() => {}) : Promise.resolve(JSON.stringify(answer));
    },
    ping() {
      asked.push("ping");
      return Bun.sleep(5);
    },
  };
  const store = createContainerStore();
  const session = createSync(engine as Engine, store, log, quiet);
  store.put(toContainer(at("a", "10.0.0.2")));
  const apply = (event: EngineEvent) => session.events.take(JSON.stringify(event));
  return { session, store, asked, apply, isAt: (address: string) => store.ownersOf(address).length === 1 };
}

const settle = () => Bun.sleep(1);
const ofContainer = (Action: string): EngineEvent => ({ Type: "container", Action, Actor: { ID: "a" } });
const ofNetwork = (Action: string, Attributes: Record<string, string>, ID = net.Id): EngineEvent => ({
  Type: "network",
  Action,
  Actor: { ID, Attributes },
});

describe("an event", () => {
  for (const [title, event, addressStays, starting] of [
    ["die takes the address out and asks", ofContainer("die"), false, 0],
    ["died of Podman takes the address out and asks", ofContainer("died"), false, 0],
    ["cleanup of Podman takes the address out and asks", ofContainer("cleanup"), false, 0],
    ["create asks, and lets callers wait", ofContainer("create"), true, 1],
    ["init of Podman asks, and lets callers wait", ofContainer("init"), true, 1],
    ["start asks, and lets callers wait", ofContainer("start"), true, 1],
    ["restart asks, and lets callers wait", ofContainer("restart"), true, 1],
    ["rename asks", ofContainer("rename"), true, 0],
    ["update asks", ofContainer("update"), true, 0],
    ["pause asks", ofContainer("pause"), true, 0],
    ["unpause asks", ofContainer("unpause"), true, 0],
    ["stop asks", ofContainer("stop"), true, 0],
    ["health_status asks, whatever it says", ofContainer("health_status: healthy"), true, 0],
    ["connect asks, and lets callers wait", ofNetwork("connect", { container: "a" }), true, 1],
    ["disconnect takes the address out and asks", ofNetwork("disconnect", { container: "a" }), false, 0],
    ["connect of Podman names the container as its actor", ofNetwork("connect", { name: "a" }, "a"), true, 1],
    ["disconnect of Podman names the container as its actor", ofNetwork("disconnect", {}, "a"), false, 0],
  ] as const) {
    test(title, async () => {
      const { session, asked, apply, isAt } = setup();
      await apply(event);
      expect([isAt("10.0.0.2"), session.inspector.starting()]).toEqual([addressStays, starting]);
      await settle();
      expect(asked).toEqual(["/containers/a/json"]);
    });
  }

  for (const action of ["destroy", "remove"]) {
    test(`${action} takes the address out`, async () => {
      const { apply, isAt } = setup();
      await apply(ofContainer(action));
      expect(isAt("10.0.0.2")).toBe(false);
    });
  }

  for (const action of ["exec_create: sh", "exec_start: sh", "top", "attach", "resize"]) {
    test(`${action} asks for nothing`, async () => {
      const { asked, apply, isAt } = setup();
      await apply(ofContainer(action));
      await settle();
      expect([asked, isAt("10.0.0.2")]).toEqual([[], true]);
    });
  }

  for (const action of ["create", "destroy", "remove"]) {
    test(`${action} of a network reads the networks`, async () => {
      const { asked, apply, store } = setup({ "/networks": [net] });
      await apply(ofNetwork(action, { name: "n" }));
      expect([asked, store.isInSubnet("10.0.0.9"), store.isGateway("fd00::1")]).toEqual([["/networks"], true, true]);
    });
  }
});

describe("reading", () => {
  const answers = {
    "/networks": [net, { Id: "host", Name: "host", IPAM: { Config: null } }],
    "/containers/json?all=1": [
      { Id: "b", State: "running" },
      { Id: "c", State: "exited" },
    ],
    "/containers/a/json": new AppError("container-unknown", "gone"),
    "/containers/b/json": at("b", "10.0.0.3"),
    "/containers/c/json": at("c", "", false),
  };

  test("brings all networks and all containers, and takes out those that are gone", async () => {
    const { session, store, isAt } = setup(answers);
    await session.read();
    expect([...store.containers.keys()].sort()).toEqual(["b", "c"]);
    expect([isAt("10.0.0.2"), isAt("10.0.0.3"), store.isInSubnet("fd00::9")]).toEqual([false, true, true]);
  });

  test("fails where the engine does", async () => {
    const down = new AppError("engine-unavailable", "down");
    await expect(setup({ ...answers, "/networks": down }).session.read()).rejects.toBe(down);
    await expect(setup({ ...answers, "/containers/json?all=1": down }).session.read()).rejects.toBe(down);
  });

  test("the list anew asks for those alone that are new, gone, or run no more", async () => {
    const { session, asked } = setup({ ...answers, "/containers/a/json": at("a", "10.0.0.2") });
    await session.read();
    asked.length = 0;
    expect(await session.relist()).toBe(true);
    expect(asked.sort()).toEqual(["/containers/a/json", "/containers/json?all=1"]);
  });

  test("the list anew is one question however many ask, and false where it fails", async () => {
    const { session, asked } = setup({ "/containers/json?all=1": new AppError("engine-unavailable", "down") });
    expect(await Promise.all([session.relist(), session.relist()])).toEqual([false, false]);
    expect(asked).toHaveLength(1);
    await session.relist();
    expect(asked).toHaveLength(2);
  });

  test("the networks anew is one question in a quarter of a second, and fails silently", async () => {
    const { session, asked } = setup({ "/networks": new AppError("engine-unavailable", "down") });
    await Promise.all([session.rereadNetworks(), session.rereadNetworks()]);
    await session.rereadNetworks();
    expect(asked).toEqual(["/networks"]);
    await Bun.sleep(260);
    await session.rereadNetworks();
    expect(asked).toHaveLength(2);
  });

  test("what is answered after the session's end changes nothing", async () => {
    const { session, store } = setup({ ...answers, "/info": { NCPU: 4, MemTotal: 1 } });
    const reading = session.read();
    session.close();
    await reading;
    expect([store.isInSubnet("10.0.0.9"), store.machine(), store.containers.size]).toEqual([false, undefined, 1]);
  });

  test("a ping is one question however many ask", async () => {
    const { session, asked } = setup();
    await Promise.all([session.ping(1), session.ping(1)]);
    await session.ping(1);
    expect(asked).toEqual(["ping", "ping"]);
  });
});

describe("the place of the engine's networks", () => {
  const here = { addressesAreLocal: true, isCertain: true };
  const asked = { addressesAreLocal: true, isCertain: false };
  const doubted = { addressesAreLocal: false, isCertain: false };
  const elsewhere = { addressesAreLocal: false, isCertain: true };
  const rootless = { SecurityOptions: ["name=seccomp,profile=default", "name=rootless"] };
  const rootful = { SecurityOptions: ["name=seccomp,profile=rootless"] };
  const silent = { SecurityOptions: null };
  const refused = new AppError("engine-refused", "403");
  const late = new AppError("engine-unavailable", "late");
  const lists = { "/networks": [], "/containers/json?all=1": [{ Id: "a", State: "running" }] };
  const read = { ...lists, "/containers/a/json": at("a", "10.0.0.2") };

  for (const [title, place, info, before, after] of [
    ["is here by root's socket", here, rootful, true, true],
    ["is elsewhere where it says so by root's socket", here, rootless, true, false],
    ["is here by root's socket where it tells nothing", here, late, true, true],
    ["is elsewhere by a user's socket until it says rootful", doubted, rootful, false, true],
    ["is here by a user's socket where a Podman says rootful", doubted, { Rootless: false }, false, true],
    ["is elsewhere by a user's socket where a Podman says rootless", doubted, { Rootless: true }, false, false],
    ["is here by a user's socket where it has no options", doubted, silent, false, true],
    ["is elsewhere by a user's socket where it says rootless", doubted, rootless, false, false],
    ["is elsewhere by a user's socket where it refuses to tell", doubted, refused, false, false],
    ["is here by this machine's port once it says rootful", asked, rootful, false, true],
    ["is elsewhere by this machine's port where it says rootless", asked, rootless, false, false],
    ["is here by this machine's port where it refuses to tell", asked, refused, false, true],
    ["is elsewhere by this machine's port where it is late to tell", asked, late, false, false],
    ["is elsewhere on another machine, whatever it says", elsewhere, rootful, false, false],
  ] as const) {
    test(title, async () => {
      const { session, store, isAt } = setup({ ...read, "/info": info }, place);
      expect(store.addressesAreLocal()).toBe(before);
      await session.read();
      await settle();
      expect(isAt("10.0.0.2")).toBe(after);
    });
  }

  test("is waited for where it is in doubt, and elsewhere for a moment, in which the machine may be told", async () => {
    const isRead = (place: Place) =>
      Promise.race([
        setup(read, place)
          .session.read()
          .then(() => true),
        Bun.sleep(700).then(() => false),
      ]);
    expect(await Promise.all([here, elsewhere, doubted, asked].map(isRead))).toEqual([true, true, false, false]);
  });
});
