import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startBinary } from "../support/binary.ts";
import { describeEngines } from "../support/engines.ts";
import { expectOwnTask, type Project, startProject } from "../support/projects.ts";
import { interfaceOf, letPass } from "../support/redirects.ts";
import { buildServerImage, removeServerImage } from "../support/server-image.ts";

const SERVICES = { shop: ["web", "db", "queue"], blog: ["web", "db"] };

describeEngines("two projects", ({ engine, freeSubnet }) => {
  describe("with the server on the host", () => {
    let server: Awaited<ReturnType<typeof startBinary>>;
    let projects: { project: Project; gateway: string }[];

    beforeAll(async () => {
      server = await startBinary({
        DOCKER_HOST: engine.host,
        ECS_LOCAL_BIND_ADDRESS: "0.0.0.0",
        ECS_LOCAL_OFFLINE: "1",
      });
      projects = [];
      for (const [name, services] of Object.entries(SERVICES)) {
        const network = await engine.createNetwork(freeSubnet());
        projects.push({ project: await startProject(engine, name, network, services), gateway: network.gateway });
      }
    }, 60_000);

    afterAll(async () => {
      await server.stop();
      await engine.cleanUp();
    }, 60_000);

    test("each container is told of itself and of its own project only", async () => {
      await Promise.all(projects.map(({ project, gateway }) => expectOwnTask(engine, project, gateway, server.port)));
    }, 120_000);
  });

  describe("with the server as a container at 169.254.170.2", () => {
    const ADDRESS = "169.254.170.2";
    let serverId: string;
    let stopLetting = () => {};
    let projects: Project[];

    beforeAll(async () => {
      const network = await engine.createNetwork("169.254.170");
      serverId = await engine.run({
        name: "ecs-local-endpoints",
        network,
        address: ADDRESS,
        image: await buildServerImage(engine),
        command: [],
        env: ["ECS_LOCAL_OFFLINE=1"],
        binds: [`${engine.socket}:/var/run/docker.sock`],
      });
      if (engine.name === "moby-29") stopLetting = letPass(interfaceOf(network.gateway));
      projects = [];
      for (const [name, services] of Object.entries(SERVICES)) {
        const project = await startProject(engine, name, await engine.createNetwork(freeSubnet()), services);
        for (const id of project.ids) await engine.connect(network, id);
        projects.push(project);
      }
    }, 90_000);

    afterAll(async () => {
      stopLetting();
      await engine.cleanUp();
      await removeServerImage(engine);
    }, 60_000);

    test("each container is told of itself and of its own project only", async () => {
      await Promise.all(projects.map((project) => expectOwnTask(engine, project, ADDRESS, 80)));
    }, 120_000);

    test("stopping it as the container's first process takes no kill and ends with 0", async () => {
      const begun = performance.now();
      await engine.call("POST", `/containers/${serverId}/stop?t=20`);
      expect(performance.now() - begun).toBeLessThan(1_500);
      expect(await engine.wait(serverId), await engine.output(serverId)).toBe(0);
    }, 60_000);
  });
});
