import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { expectItself, letTaskNetworkPass, services } from "../support/compose/asking.ts";
import { copyProject, describeCompose, membersOf } from "../support/compose/plugin.ts";
import { describeEngines, type EngineUnderTest, FULL } from "../support/engines.ts";
import { buildServerImage, removeServerImage } from "../support/server-image.ts";

const BINARY = resolve(import.meta.dir, "../../dist/ecs-local-endpoints");
const FIXTURES = resolve(import.meta.dir, "../support/compose");
const WRITTEN = "compose.ecs-local.yaml";
const TIMEOUT_MS = 240_000;

type Copy = ReturnType<typeof copyProject>;

describeCompose("the file that compose writes", () => {
  describeEngines("is started by docker compose", ({ engine }: EngineUnderTest) => {
    let image: string;
    let stopLetting = () => {};
    const started: { copy: Copy; files: string[] }[] = [];

    beforeAll(async () => {
      image = await buildServerImage(engine);
    }, 60_000);
    afterEach(() => {
      stopLetting();
      stopLetting = () => {};
      for (const { copy, files } of started.splice(0).reverse()) copy.down(files);
    }, 60_000);
    afterAll(() => removeServerImage(engine), 30_000);

    async function start(copy: Copy, files: string[], args: string[]): Promise<string> {
      started.push({ copy, files });
      const { exitCode, stderr } = copy.run([BINARY, "compose", "--image", image, ...args]);
      expect(exitCode, stderr).toBe(0);
      await copy.up(files);
      return stderr;
    }

    test(
      "one service",
      async () => {
        const copy = copyProject(engine, join(FIXTURES, "one"));
        await start(copy, ["compose.yaml", WRITTEN], ["--role", "app=team/app"]);
        stopLetting = letTaskNetworkPass(engine);
        const members = await membersOf(engine, "cmp-one");
        expect(services(members)).toEqual(["app", "ecs-local-endpoints"]);
        await expectItself(engine, members, { app: "arn:aws:iam::111111111111:role/team/app" });
      },
      TIMEOUT_MS,
    );

    // Podman's bridge changes its hardware address while ten containers join, and a connection may hang until it times out.
    const isSteady = FULL || engine.name !== "podman";
    test.if(isSteady)(
      `ten services on several networks, with a profile${isSteady ? "" : " (skipped: with FULL=1 only)"}`,
      async () => {
        const copy = copyProject(engine, join(FIXTURES, "ten"));
        await start(copy, ["compose.yaml", WRITTEN], []);
        stopLetting = letTaskNetworkPass(engine);
        const members = await membersOf(engine, "cmp-shop");
        expect(services(members)).toEqual(
          "api billing db ecs-local-endpoints mailer orders proxy search web worker worker".split(" "),
        );
        await expectItself(engine, members, { orders: "arn:aws:iam::111111111111:role/orders" });
      },
      TIMEOUT_MS,
    );

    test(
      "services with the host's network, with another's and with none, by extends",
      async () => {
        const copy = copyProject(engine, join(FIXTURES, "host"));
        const files = ["compose.yaml", "compose.override.yaml", WRITTEN];
        await start(copy, files, ["--role", "gateway=gate", "--role", "agent=agent"]);
        stopLetting = letTaskNetworkPass(engine);
        const members = await membersOf(engine, "cmp-edge");
        const asking = members.filter(({ Labels }) => Labels["com.docker.compose.service"] !== "sealed");
        expect(services(asking)).toEqual(["agent", "batch", "ecs-local-endpoints", "gateway", "sidecar"]);
        await expectItself(
          engine,
          asking,
          {
            gateway: "arn:aws:iam::111111111111:role/gate",
            agent: "arn:aws:iam::111111111111:role/agent",
          },
          members,
        );
      },
      TIMEOUT_MS,
    );

    test(
      "two projects that share a server, each of which is told of itself alone",
      async () => {
        const server = copyProject(engine, join(FIXTURES, "one"), "server");
        await start(server, ["ecs-local-endpoints.yaml"], ["--server"]);
        stopLetting = letTaskNetworkPass(engine);
        const shop = copyProject(engine, join(FIXTURES, "one"));
        await start(shop, ["compose.yaml", WRITTEN], ["--join"]);
        const edge = copyProject(engine, join(FIXTURES, "host"));
        await start(edge, ["compose.yaml", "compose.override.yaml", WRITTEN], ["--join"]);
        const projects = { "cmp-one": ["app"], "cmp-edge": ["agent", "batch", "gateway", "sealed", "sidecar"] };
        for (const [project, names] of Object.entries(projects)) {
          const members = await membersOf(engine, project);
          expect(services(members)).toEqual(names);
          const asking = members.filter(({ Labels }) => Labels["com.docker.compose.service"] !== "sealed");
          await expectItself(engine, asking, {}, members);
        }
      },
      TIMEOUT_MS,
    );
  });
});
