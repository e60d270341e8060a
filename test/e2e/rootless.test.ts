import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ask } from "../support/ask.ts";
import { startBinary } from "../support/binary.ts";
import type { Network } from "../support/real-engine.ts";
import { missing, startRootlessPodman } from "../support/rootless.ts";
import { buildServerImage } from "../support/server-image.ts";

if (missing !== "" && process.env.CI === "true") {
  test("a rootless Podman can be started, as CI=true requires", () => expect(missing).toBe(""));
}

describe.if(missing === "")(`a rootless Podman${missing && ` (skipped: ${missing})`}`, () => {
  let podman: Awaited<ReturnType<typeof startRootlessPodman>>;
  let network: Network;
  let id: string;

  beforeAll(async () => {
    podman = await startRootlessPodman();
    network = await podman.engine.createNetwork("10.205.70");
    id = await podman.engine.run({ name: "eq-rootless", network, image: podman.image });
  }, 60_000);
  afterAll(() => podman?.stop(), 60_000);

  test("is found by its user's server, and its container by name, but not by the address of this machine", async () => {
    const { XDG_RUNTIME_DIR, HOME } = podman.env;
    const env = { XDG_RUNTIME_DIR, HOME, ECS_LOCAL_BIND_ADDRESS: "0.0.0.0", ECS_LOCAL_OFFLINE: "1" };
    const server = await startBinary(env, { by: podman.as });
    try {
      // It listens before it has found the engine.
      for (let turn = 0; !server.log().includes("watching the engine") && turn < 50; turn += 1) await Bun.sleep(100);
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
      expect(body).toContain(`The request came from this machine (${host}), which is no container`);
    } finally {
      expect(await server.stop()).toBe(0);
    }
  }, 60_000);

  test("tells a server in a container of its own who asks, by address", async () => {
    const address = "10.205.70.9";
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
});
