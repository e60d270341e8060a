import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { ask } from "../support/ask.ts";
import { composePlugin, copyProject, type Member, membersOf } from "../support/compose/plugin.ts";
import { describeEngines, type EngineUnderTest } from "../support/engines.ts";
import type { RealEngine } from "../support/real-engine.ts";
import { interfaceOf, letPass } from "../support/redirects.ts";
import { describeWhere } from "../support/sdk/clients.ts";
import { importServerImage, removeServerImage } from "../support/server-image.ts";

const BINARY = resolve(import.meta.dir, "../../dist/ecs-local-endpoints");
const FIXTURES = resolve(import.meta.dir, "../support/compose");
const WRITTEN = "compose.ecs-local.yaml";
/** What our image says of itself. */
const IMAGE = ['ENTRYPOINT ["/ecs-local-endpoints"]', "ENV HOME=/home", "ENV ECS_LOCAL_BIND_ADDRESS=0.0.0.0"];
const TIMEOUT_MS = 240_000;

type Copy = ReturnType<typeof copyProject>;

describeWhere("the file that compose writes", "missing" in composePlugin ? composePlugin.missing : undefined, () => {
  describeEngines("is started by docker compose", ({ engine }: EngineUnderTest) => {
    let image: string;
    let stopLetting = () => {};
    const started: { copy: Copy; files: string[] }[] = [];

    beforeAll(async () => {
      image = await importServerImage(engine, IMAGE);
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

    /** Debian's Docker drops what no rule lets pass; for an internal network Podman makes no rule, and moby-29 never does. */
    function letContainersPass(): void {
      if (engine.name !== "debian-docker") stopLetting = letPass(interfaceOf("169.254.170.1"));
    }

    test(
      "one service",
      async () => {
        const copy = copyProject(engine, join(FIXTURES, "one"));
        await start(copy, ["compose.yaml", WRITTEN], ["--role", "app=team/app"]);
        letContainersPass();
        const members = await membersOf(engine, "cmp-one");
        expect(services(members)).toEqual(["app", "ecs-local-endpoints"]);
        await expectItself(engine, members, { app: "arn:aws:iam::111111111111:role/team/app" });
      },
      TIMEOUT_MS,
    );

    test(
      "ten services on several networks, with a profile",
      async () => {
        const copy = copyProject(engine, join(FIXTURES, "ten"));
        await start(copy, ["compose.yaml", WRITTEN], []);
        letContainersPass();
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
        letContainersPass();
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
        letContainersPass();
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

    test(
      "it is the same without the plugin",
      () => {
        for (const name of ["one", "ten", "host"]) {
          const copy = copyProject(engine, join(FIXTURES, name));
          const write = [
            BINARY,
            "compose",
            "--output",
            "-",
            "--role",
            `${name === "host" ? "batch" : name === "ten" ? "api" : "app"}=r`,
          ];
          const [withPlugin, without] = [copy.run(write), copy.run(["env", "PATH=/nonexistent", ...write])];
          expect(withPlugin.exitCode, withPlugin.stderr).toBe(0);
          expect(without).toEqual(withPlugin);
          copy.down(["compose.yaml"]);
        }
      },
      TIMEOUT_MS,
    );
  });
});

function services(members: readonly Member[]): string[] {
  return members.map(({ Labels }) => Labels["com.docker.compose.service"] ?? "").sort();
}

/**
 * Each container asks, by the variables that it has, who it is, which task it belongs to and for its credentials.
 *
 * @param roles ARNs by service; the others have the server's own identity, which has none
 */
async function expectItself(
  engine: RealEngine,
  asking: readonly Member[],
  roles: Readonly<Record<string, string>>,
  task = asking,
): Promise<void> {
  const ids = task.map(({ Id }) => Id).sort();
  for (const { Id, Labels } of asking) {
    const service = Labels["com.docker.compose.service"] ?? "";
    // The server is asked, and does not ask: it has no shell.
    if (service === "ecs-local-endpoints") continue;
    const env = Object.fromEntries(
      (await engine.exec(Id, "busybox env")).split("\n").map((line) => line.split(/=(.*)/s)),
    );
    // Its way out is what it was: ours is none.
    expect(await engine.exec(Id, "busybox ip route"), service).not.toContain("via 169.254");
    const get = async (uri: string) => {
      const { hostname, port, pathname } = new URL(uri, "http://169.254.170.2");
      const { status, body } = await ask(engine, Id, hostname, Number(port || 80), pathname);
      expect({ service, uri, status, body }).toMatchObject({ service, uri, status: 200 });
      return body as { DockerId: string; Containers: { DockerId: string }[]; RoleArn: string };
    };
    for (const base of [env.ECS_CONTAINER_METADATA_URI, env.ECS_CONTAINER_METADATA_URI_V4]) {
      expect((await get(base)).DockerId, service).toBe(Id);
      const { Containers } = await get(`${base}/task`);
      expect(Containers.map(({ DockerId }) => DockerId).sort(), service).toEqual(ids);
    }
    expect((await get(env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI)).RoleArn, service).toBe(roles[service] ?? "");
  }
}
