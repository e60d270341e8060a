import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { askScript, parseAnswer } from "../support/ask.ts";
import { startBinary } from "../support/binary.ts";
import { describeEngines } from "../support/engines.ts";
import { freePort } from "../support/free-port.ts";
import type { Network } from "../support/real-engine.ts";
import { interfaceOf, letPass, redirectTaskAddress, startNeighbour } from "../support/redirects.ts";
import { buildServerImage, removeServerImage } from "../support/server-image.ts";

const TASK_ADDRESS = "169.254.170.2";
const LOG_WAIT_MS = 300;

describeEngines("the door", ({ engine, freeSubnet }) => {
  /** What a container is told, and as what the log has it. */
  async function askFrom(id: string, host: string, port: number, path = "/creds", named = host) {
    return parseAnswer(await engine.exec(id, askScript(host, port, path, named)));
  }
  const credentials = { status: 200, body: { AccessKeyId: expect.stringMatching(/^ASIA/) } };

  describe("of a server on the host, on all addresses,", () => {
    let server: Awaited<ReturnType<typeof startBinary>>;
    let network: Network;
    let app: string;
    let neighbour: ReturnType<typeof startNeighbour>;

    beforeAll(async () => {
      const options = { args: ["--offline", "--bind", "0.0.0.0"] };
      server = await startBinary({ DOCKER_HOST: engine.host }, options);
      network = await engine.createNetwork(freeSubnet());
      const extraHosts = engine.name === "podman" ? [] : ["host.docker.internal:host-gateway"];
      app = await engine.run({ name: `door-app-${process.pid}`, network, extraHosts });
      neighbour = startNeighbour(freeSubnet());
      // Our own addresses are read once a second.
      await Bun.sleep(1_100);
    }, 60_000);
    afterAll(async () => {
      neighbour?.stop();
      await server?.stop();
      await engine.cleanUp();
    }, 60_000);

    test("answers a container that asks the gateway, and has its name and id in the audit", async () => {
      expect(await askFrom(app, network.gateway, server.port)).toMatchObject(credentials);
      await Bun.sleep(LOG_WAIT_MS);
      expect(server.log()).toContain(
        `credentials returned caller=door-app-${process.pid}/${app.slice(0, 12)} path=/creds`,
      );
    });
    // Podman 4.3 knows no host-gateway; its containers find the host under a name of its own.
    const hostName = engine.name === "podman" ? "host.containers.internal" : "host.docker.internal";
    test(`answers a container by ${hostName}`, async () => {
      const { status, body } = await askFrom(app, hostName, server.port, "/v3");
      expect(body).toMatchObject({ DockerId: app });
      expect(status).toBe(200);
    });
    test("answers this machine, by loopback and by its other addresses", async () => {
      for (const host of ["127.0.0.1", "localhost", network.gateway, neighbour.host]) {
        expect((await fetch(`http://${host}:${server.port}/creds`)).status, host).toBe(200);
      }
    });
    test("refuses a machine of a network that the engine does not know, and says who it was", async () => {
      const request = `GET /creds HTTP/1.1\\r\\nHost: ${neighbour.host}\\r\\nConnection: close\\r\\n\\r\\n`;
      const script = `exec 3<>/dev/tcp/${neighbour.host}/${server.port}; printf '${request}' >&3; cat <&3`;
      const { status, body } = parseAnswer(neighbour.run(`timeout 5 bash -c "${script.replaceAll('"', '\\"')}"`));
      expect(status).toBe(403);
      expect(body).toMatchObject({ code: "Forbidden", message: expect.stringContaining(neighbour.address) });
      await Bun.sleep(LOG_WAIT_MS);
      expect(server.log()).toContain(`credentials refused caller=${neighbour.address} path=/creds outcome=forbidden`);
    });
    test("says who can reach it", () => {
      expect(server.log()).toMatch(/listening address=0\.0\.0\.0 .*reach="this machine and .*\/\d+/);
    });
  });

  describe("of a server on loopback, behind the two rules of iptables,", () => {
    let server: Awaited<ReturnType<typeof startBinary>>;
    let app: string;
    let takeAway = () => {};

    beforeAll(async () => {
      server = await startBinary({ DOCKER_HOST: engine.host }, { args: ["--offline"] });
      const network = await engine.createNetwork(freeSubnet());
      app = await engine.run({ name: `door-redirected-${process.pid}`, network });
      takeAway = redirectTaskAddress(interfaceOf(network.gateway), server.port);
    }, 60_000);
    afterAll(async () => {
      takeAway();
      await server?.stop();
      await engine.cleanUp();
    }, 60_000);

    test("answers a container by 169.254.170.2, and knows it", async () => {
      expect(await askFrom(app, TASK_ADDRESS, 80)).toMatchObject(credentials);
      expect((await askFrom(app, TASK_ADDRESS, 80, "/v3")).body).toMatchObject({ DockerId: app });
    });
    test("answers this machine by 169.254.170.2", async () => {
      expect((await fetch(`http://${TASK_ADDRESS}/creds`)).status).toBe(200);
    });
    test("says that this machine alone reaches it", () => {
      expect(server.log()).toContain('reach="this machine only"');
    });
  });

  describe("of a server as a container", () => {
    // Without its helper docker-proxy, which moby-29 is built without, an engine publishes nothing.
    const canPublish = engine.name !== "moby-29";
    const published = canPublish ? "" : " (skipped: this engine is built without docker-proxy)";
    const running: string[] = [];
    let stopLetting = () => {};
    let image: string;
    let network: Network;
    let app: string;

    async function startServer(options: Partial<Parameters<typeof engine.run>[0]> = {}, env: string[] = []) {
      const id = await engine.run({
        name: `door-server-${process.pid}`,
        network,
        address: TASK_ADDRESS,
        image,
        command: [],
        env: ["ECS_LOCAL_OFFLINE=1", ...env],
        binds: [`${engine.socket}:/var/run/docker.sock`],
        aliases: ["metadata.corp", "endpoints"],
        ...options,
      });
      running.push(id);
      await untilListening(id);
      return id;
    }
    async function untilListening(id: string): Promise<void> {
      for (let i = 0; !(await engine.output(id)).includes("listening"); i += 1) {
        if (i > 100) throw new Error(`the server does not listen:\n${await engine.output(id)}`);
        await Bun.sleep(50);
      }
    }

    afterEach(async () => {
      for (const id of running.splice(0)) await engine.remove(id);
    }, 60_000);
    beforeAll(async () => {
      image = await buildServerImage(engine);
      network = await engine.createNetwork("169.254.170");
    }, 60_000);
    // A new one for each server: its kernel would go on sending to the former server's hardware address.
    beforeEach(async () => {
      app = await engine.run({ name: `door-client-${process.pid}`, network, address: "169.254.170.10" });
      running.push(app);
      // A bridge is up, and listed, once a container is on it.
      stopLetting();
      if (engine.name === "moby-29") stopLetting = letPass(interfaceOf(network.gateway));
    }, 60_000);
    afterAll(async () => {
      stopLetting();
      await engine.cleanUp();
      await removeServerImage(engine);
    }, 60_000);

    test("answers by 169.254.170.2, by its name, its alias, and those with the network's name behind them", async () => {
      await startServer();
      expect(await askFrom(app, TASK_ADDRESS, 80)).toMatchObject(credentials);
      expect((await askFrom(app, TASK_ADDRESS, 80, "/v3")).body).toMatchObject({ DockerId: app });
      const names = [`door-server-${process.pid}`, "endpoints", "metadata.corp"];
      // Podman's DNS knows no names with the network's behind them.
      const qualified = engine.name === "podman" ? [] : names.map((name) => `${name}.${network.name}`);
      for (const host of [...names, ...qualified]) {
        expect(await askFrom(app, host, 80), host).toMatchObject(credentials);
      }
      expect((await askFrom(app, TASK_ADDRESS, 80, "/creds", "evil.example")).status).toBe(403);
    }, 60_000);

    test.skipIf(!canPublish)(
      `answers through a port that is published on loopback, without a warning${published}`,
      async () => {
        const port = String(freePort());
        const id = await startServer({ publish: { "80/tcp": { HostIp: "127.0.0.1", HostPort: port } } });
        expect((await fetch(`http://127.0.0.1:${port}/creds`)).status).toBe(200);
        expect(await engine.output(id)).not.toContain("published beyond");
      },
      60_000,
    );

    test.skipIf(!canPublish)(
      `warns of a port that is published to all with the remedy, and answers there${published}`,
      async () => {
        const port = String(freePort());
        const id = await startServer({ publish: { "80/tcp": { HostIp: "", HostPort: port } } });
        expect((await fetch(`http://127.0.0.1:${port}/creds`)).status).toBe(200);
        await Bun.sleep(LOG_WAIT_MS);
        const output = await engine.output(id);
        expect(output).toContain("the port is published beyond this machine");
        expect(output).toContain(`-p 127.0.0.1:${port}:80`);
      },
      60_000,
    );

    test.skipIf(!canPublish)(
      `closes a published port by ECS_LOCAL_REFUSE_GATEWAY, and answers containers${published}`,
      async () => {
        const port = String(freePort());
        const env = ["ECS_LOCAL_REFUSE_GATEWAY=1"];
        await startServer({ publish: { "80/tcp": { HostIp: "127.0.0.1", HostPort: port } } }, env);
        expect((await fetch(`http://127.0.0.1:${port}/creds`)).status).toBe(403);
        expect(await askFrom(app, TASK_ADDRESS, 80)).toMatchObject(credentials);
      },
      60_000,
    );

    test("without the engine's socket answers the containers of its own network", async () => {
      await startServer({ binds: [] });
      expect(await askFrom(app, TASK_ADDRESS, 80)).toMatchObject(credentials);
      expect((await askFrom(app, TASK_ADDRESS, 80, "/v3")).status).toBe(503);
    }, 60_000);

    test.skipIf(!canPublish)(
      `without the socket closes a published port by ECS_LOCAL_REFUSE_GATEWAY as well${published}`,
      async () => {
        const port = String(freePort());
        const publish = { "80/tcp": { HostIp: "127.0.0.1", HostPort: port } };
        await startServer({ binds: [], publish }, ["ECS_LOCAL_REFUSE_GATEWAY=1"]);
        expect((await fetch(`http://127.0.0.1:${port}/creds`)).status).toBe(403);
        expect(await askFrom(app, TASK_ADDRESS, 80)).toMatchObject(credentials);
      },
      60_000,
    );

    test("returns a container that is bound to a role that role alone, and a gateway nothing meanwhile", async () => {
      await startServer();
      const labels = { "ecs-local.role": "web" };
      const name = `door-bound-${process.pid}`;
      const bound = await engine.run({ name, network, labels, address: "169.254.170.11" });
      const arn = expect.stringMatching(/:role\/web$/);
      expect(await askFrom(bound, TASK_ADDRESS, 80)).toMatchObject({ status: 200, body: { RoleArn: arn } });
      expect((await askFrom(bound, TASK_ADDRESS, 80, "/role/db")).status).toBe(403);
      expect(await askFrom(app, TASK_ADDRESS, 80)).toMatchObject({ status: 200, body: { RoleArn: "" } });
      // This machine comes by the bridge's gateway.
      expect((await fetch(`http://${TASK_ADDRESS}/creds`)).status).toBe(403);
      await engine.remove(bound);
      await Bun.sleep(LOG_WAIT_MS);
      expect((await fetch(`http://${TASK_ADDRESS}/creds`)).status).toBe(200);
    }, 60_000);
  });
});
