import { afterEach, describe, expect, test } from "bun:test";
import { eventually, startApp } from "../support/app.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { DB, GATEWAY, machine, OWN_ID, WEB } from "../support/guarded-machine.ts";

// A rootless engine has networks of its own: on those of this machine anybody may have its containers' addresses.
type Options = NonNullable<Parameters<typeof startApp>[1]>;

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function start(options: Options, more: Parameters<typeof startFakeEngine>[0] = {}) {
  const engine = startFakeEngine({ ...machine(), rootless: true, ...more });
  const app = startApp(engine.host, options);
  stops.push(app.stop, () => engine.stop());
  return { engine, app };
}

describe("a server on the machine of a rootless engine", () => {
  test("of Podman identifies no caller by a container's address", async () => {
    const { app } = start({}, { lateEventsMs: 100 });
    expect((await app.ask("/v4", WEB.address)).status).toBe(404);
  });

  test("identifies no caller by a container's address, and says what to do", async () => {
    const { app } = start({});
    for (const [path, status] of [
      ["/v2/metadata", 400],
      ["/v3", 500],
      ["/v4", 404],
      ["/v4/task", 404],
      ["/v3/task/stats", 400],
    ] as const) {
      const answer = await app.ask(path, WEB.address);
      expect(answer.status, path).toBe(status);
      expect(answer.text).toContain(`from ${WEB.address}, and addresses do not identify containers of this engine`);
      expect(answer.text).toContain("run this server in a container on a network of the engine's");
      expect(answer.text).not.toContain("no container is running");
    }
    expect((await app.ask("/v3/task", GATEWAY)).status).toBe(500);
  });

  test("answers for the container that the path names", async () => {
    const { app } = start({});
    for (const from of [WEB.address, "127.0.0.1"]) {
      expect((await app.ask(`/v4/${DB.name}`, from)).json.DockerName, from).toBe(DB.name);
    }
  });

  test("takes no caller for the container that is bound to a role", async () => {
    const { app } = start(
      { guarded: {}, env: { ECS_LOCAL_ALLOWED_NETWORKS: "172.31.7.0/24" } },
      machine({ "ecs-local.role": "web" }),
    );
    for (const from of [WEB.address, DB.address]) {
      const answer = await app.ask("/creds", from);
      expect([answer.status, answer.text], from).toEqual([
        403,
        expect.stringContaining("does not identify a container"),
      ]);
    }
    expect((await app.ask("/creds", "127.0.0.1")).status).toBe(200);
  });

  test("allows no caller by a container's address before the engine has answered that it is rootless", async () => {
    const { app, engine } = start({ guarded: {} });
    engine.faults.hold = (path) => path === "/info";
    await eventually(() => engine.count("/info") > 0 && app.inventory.store.containers.size === 4, 2_000);
    expect([403, 503]).toContain((await app.ask("/creds", WEB.address)).status);
    expect((await app.ask("/creds", "127.0.0.1")).status).toBe(200);
  });

  test("says at its start what is amiss", async () => {
    const { app } = start({});
    await app.inventory.ready();
    app.flush();
    expect(app.lines.join("")).toContain("addresses do not identify containers of this engine");
  });
});

describe("as with an engine of root's", () => {
  const cases: [title: string, options: Options, rootless: boolean][] = [
    ["a server in a container of the rootless one", { ownId: OWN_ID }, true],
    ["a server on the machine of one that is not", {}, false],
  ];
  for (const [title, options, rootless] of cases) {
    test(`${title} answers each by its address`, async () => {
      const { app } = start(options, { rootless });
      expect((await app.ask("/v4", WEB.address)).json.DockerName).toBe(WEB.name);
      expect((await app.ask("/v3/task", WEB.ipv6)).status).toBe(200);
      app.flush();
      expect(app.lines.join("")).not.toContain("no address tells");
    });
    test(`${title} lets in containers and the gateway`, async () => {
      const { app } = start({ ...options, guarded: {} }, { rootless });
      for (const from of [WEB.address, WEB.ipv6, GATEWAY]) {
        expect((await app.ask("/creds", from)).status, from).toBe(200);
      }
    });
  }

  test("a server in a container of the rootless one does not wait for what that tells of itself", async () => {
    const { app, engine } = start({ ownId: OWN_ID });
    engine.faults.hold = (path) => path === "/info";
    expect((await app.ask("/v4", WEB.address)).json.DockerName).toBe(WEB.name);
  });
});
