import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ask } from "../support/ask.ts";
import { startBinary } from "../support/binary.ts";
import { describeTogether, freeSubnet } from "../support/engines.ts";
import type { Network } from "../support/real-engine.ts";
import { missing, startRootlessPodman } from "../support/rootless.ts";
import { buildServerImage } from "../support/server-image.ts";

if (missing !== "" && process.env.CI === "true") {
  test("a rootless Podman can be started, as CI=true requires", () => expect(missing).toBe(""));
}

describe.if(missing === "")(`a rootless Podman${missing && ` (skipped: ${missing})`}`, () => {
  let podman: Awaited<ReturnType<typeof startRootlessPodman>>;
  const base = freeSubnet();
  let network: Network;
  let id: string;

  beforeAll(async () => {
    podman = await startRootlessPodman();
    network = await podman.engine.createNetwork(base);
    id = await podman.engine.run({ name: "eq-rootless", network, image: podman.image });
  }, 60_000);
  afterAll(() => podman?.stop(), 60_000);

  /** The server of the engine's user on this machine, once it has found the engine: it listens before. */
  async function startServer(more: Record<string, string> = {}) {
    const { XDG_RUNTIME_DIR, HOME } = podman.env;
    const env = { XDG_RUNTIME_DIR, HOME, ECS_LOCAL_BIND_ADDRESS: "0.0.0.0", ECS_LOCAL_OFFLINE: "1", ...more };
    const server = await startBinary(env, { by: podman.as });
    for (let turn = 0; !server.log().includes("watching the engine") && turn < 50; turn += 1) await Bun.sleep(100);
    return server;
  }

  test("is found by its user's server, and its container by name, but not by the address of this machine", async () => {
    const server = await startServer();
    try {
      for (const path of ["/v3/containers/eq-rootless", "/v4/containers/eq-rootless"]) {
        const document = await (await server.get(path)).json();
        expect({ document }, server.log()).toMatchObject({
          document: { DockerId: id, Networks: [{ NetworkMode: network.name }] },
        });
      }
      expect(server.log()).toContain(`watching the engine target=${podman.engine.host}`);
      // Its containers reach this machine through a program of their user's, with the machine's own address.
      const host =
        /^(\S+)\s+host\.containers\.internal/m.exec(await podman.engine.exec(id, "cat /etc/hosts"))?.[1] ?? "";
      const { status, body } = await ask(podman.engine, id, host, server.port, "/v4");
      expect(status).toBe(404);
      expect(body).toContain(`The request came from this machine (${host}), which is not a container`);
    } finally {
      expect(await server.stop()).toBe(0);
    }
  }, 60_000);

  test("tells a server in a container of its own who asks, by address", async () => {
    const address = `${base}.9`;
    await podman.engine.run({
      name: "eq-rootless-server",
      network,
      address,
      image: await buildServerImage(podman.engine),
      command: [],
      env: ["ECS_LOCAL_OFFLINE=1"],
      binds: [`${podman.engine.socket}:/var/run/docker.sock`],
    });
    let answer = await ask(podman.engine, id, address, 80, "/v4");
    for (let turn = 0; answer.status === 0 && turn < 40; turn += 1) {
      await Bun.sleep(200);
      answer = await ask(podman.engine, id, address, 80, "/v4");
    }
    expect(answer).toMatchObject({ status: 200, body: { DockerId: id } });
  }, 120_000);

  describeTogether("beside a rootful one", ["podman"], ([rootful]) => {
    const address = `${base}.7`;
    let [inner, outer] = ["", ""];

    beforeAll(async () => {
      if (!rootful) throw new Error("there is no rootful Podman");
      inner = await podman.engine.run({ name: "eq-rootless-twin", network, address, image: podman.image });
      const same = await rootful.createNetwork(base);
      outer = await rootful.run({ name: "eq-rootful-twin", network: same, address });
    }, 60_000);

    test("a container of root's is not taken for one of the same address", async () => {
      if (!rootful) throw new Error("there is no rootful Podman");
      const server = await startServer();
      try {
        for (const path of ["/creds", "/v3", "/v4", "/v4/task", "/role/app"]) {
          const { status, body } = await ask(rootful, outer, network.gateway, server.port, path);
          expect({ status, body: JSON.stringify(body) }, path).toEqual({
            status: 403,
            body: expect.stringContaining(`ECS_LOCAL_ALLOWED_NETWORKS, as in ${address}/32`),
          });
        }
        expect(server.log()).toContain("addresses do not identify containers of this engine");
        const named = await server.get("/v4/eq-rootless-twin");
        expect(await named.json()).toMatchObject({ DockerId: inner });
      } finally {
        expect(await server.stop()).toBe(0);
      }
    }, 60_000);

    test("nor where its address may ask: metadata says what to do, and credentials are the listed caller's", async () => {
      if (!rootful) throw new Error("there is no rootful Podman");
      const server = await startServer({ ECS_LOCAL_ALLOWED_NETWORKS: `${address}/32` });
      try {
        const { status, body } = await ask(rootful, outer, network.gateway, server.port, "/v4");
        expect(status).toBe(404);
        expect(body).toContain(`from ${address}, and addresses do not identify containers of this engine`);
        expect(body).toContain("run this server in a container on a network of the engine's, or name one in the path");
        expect((await ask(rootful, outer, network.gateway, server.port, "/creds")).status).toBe(200);
      } finally {
        expect(await server.stop()).toBe(0);
      }
      expect(server.log()).toContain(`caller=${address} path=/creds`);
    }, 60_000);
  });
});
