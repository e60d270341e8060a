import { afterEach, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { startApp } from "../support/app.ts";
import { container, withComposeProject, withLabels } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { folder } from "../support/folder.ts";
import { network, withNetwork } from "../support/networks.ts";
import { logOf, waitForLine } from "../support/wait-for-line.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const net = network({ name: "shop_default", subnet: "10.0.0.0/24", gateway: "10.0.0.1" });
const [WEB, DB, BLOG, ALONE] = ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"];
const member = (project: string, service: string, ipv4: string, labels: Record<string, string> = {}) => {
  const document = withComposeProject(
    container({ name: `${project}-${service}-1`, memoryBytes: 2 ** 26 }),
    project,
    service,
  );
  return withNetwork(withLabels(document, labels), net, { ipv4 });
};

const SHOP = {
  taskDefinition: {
    family: "shop",
    revision: 7,
    cpu: "256",
    memory: "1 GB",
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    enableFaultInjection: true,
    containerDefinitions: [
      {
        name: "web",
        cpu: 128,
        memory: 256,
        logConfiguration: {
          logDriver: "awslogs",
          options: { "awslogs-group": "/ecs/shop", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "ecs" },
          secretOptions: [{ name: "unshown", valueFrom: "arn:aws:ssm:unshown" }],
        },
        healthCheck: { command: ["CMD-SHELL", "true"] },
        restartPolicy: { enabled: true },
        dockerLabels: { team: "a" },
      },
      { name: "db", cpu: 0, memoryReservation: 32, essential: false },
    ],
  },
  tags: [{ key: "unused", value: "tag" }],
};
const BLOG_DEFINITION = { family: "blog", containerDefinitions: [{ name: "page" }] };

async function start(files: Record<string, unknown>, env: Record<string, string> = {}) {
  const engine = startFakeEngine({
    networks: [net],
    containers: [
      member("shop", "web", WEB),
      member("shop", "db", DB),
      member("blog", "page", BLOG),
      withNetwork(container({ name: "alone" }), net, { ipv4: ALONE }),
    ],
  });
  const { write, remove } = folder("definitions");
  const paths = Object.entries(files).map(([name, content]) => write(name, content));
  const app = startApp(engine.host, { env: { ECS_LOCAL_TASK_DEFINITION: paths.join(" , "), ...env } });
  ends.push(() => engine.stop(), app.stop, remove);
  await app.inventory.ready();
  return { ...app, log: () => logOf(app), engine, write, paths };
}

describe("a project that a task definition fits", () => {
  test("is its task in V4, and keeps what only the engine knows", async () => {
    const { ask } = await start({ "shop.json": SHOP });
    const { json: task } = await ask("/v4/task", WEB);
    expect(task).toMatchObject({
      Cluster: "ecs-local-cluster",
      Family: "shop",
      Revision: "7",
      Limits: { CPU: 0.25, Memory: 1024 },
      LaunchType: "FARGATE",
      FaultInjectionEnabled: false,
    });
    expect(task.Containers.map(({ Name }: { Name: string }) => Name)).toEqual(["db", "web"]);
    const { json: web, text } = await ask("/v4", WEB);
    expect(task.Containers[1]).toEqual(web);
    expect(web).toMatchObject({
      Name: "web",
      DockerName: "shop-web-1",
      Image: "alpine:3.20",
      Limits: { CPU: 128, Memory: 256 },
      Health: {},
      LogDriver: "awslogs",
      LogOptions: {
        "awslogs-group": "/ecs/shop",
        "awslogs-region": "eu-west-1",
        "awslogs-stream": "ecs/web/37e873f6-37b4-42a7-af47-eac7275c6152",
      },
      Networks: [{ NetworkMode: "awsvpc", IPv4Addresses: [WEB], IPv4SubnetCIDRBlock: "10.0.0.0/24" }],
      RestartCount: 0,
    });
    expect(web.Labels).toMatchObject({
      team: "a",
      "com.amazonaws.ecs.container-name": "web",
      "com.amazonaws.ecs.task-definition-family": "shop",
      "com.amazonaws.ecs.task-definition-version": "7",
    });
    expect(text).not.toMatch(/unshown|unused|awslogs-stream-prefix/);
    const { json: db } = await ask("/v4", DB);
    expect(db).toMatchObject({ Name: "db", Limits: { CPU: 2, Memory: 64 }, LogDriver: "json-file" });
    expect(db).not.toContainKeys(["Health", "RestartCount"]);
  });
  test("is its task in V2 and V3", async () => {
    const { ask } = await start({ "shop.json": SHOP });
    for (const path of ["/v2/metadata", "/v3/task"]) {
      const { json } = await ask(path, WEB);
      expect(json).toMatchObject({ Family: "shop", Revision: "7", Limits: { CPU: 0.25, Memory: 1024 } });
      expect(json.Containers[1]).toMatchObject({ Name: "web", Limits: { CPU: 128, Memory: 256 }, Health: {} });
    }
  });
  test("leaves other projects and containers as they are", async () => {
    const { ask } = await start({ "shop.json": SHOP });
    for (const [address, name] of [
      [BLOG, "blog-page-1"],
      [ALONE, "alone"],
    ] as const) {
      expect((await ask("/v4/task", address)).json).toMatchObject({
        Family: "esc-local-task-definition",
        Revision: "1",
      });
      expect((await ask("/v4", address)).json).toMatchObject({ Name: name, LogDriver: "json-file" });
    }
  });
  test("is one of several, each with its own; the register form has the configured revision", async () => {
    const env = { TASK_DEFINITION_REVISION: "3", TASK_DEFINITION_FAMILY: "mine", TASK_CPU: "2 vCPU" };
    const { ask } = await start({ "shop.json": SHOP, "blog.json": BLOG_DEFINITION }, env);
    const [shop, blog, alone] = await Promise.all(
      [WEB, BLOG, ALONE].map(async (address) => (await ask("/v4/task", address)).json),
    );
    expect([shop.Family, shop.Revision, shop.Limits.CPU]).toEqual(["shop", "7", 0.25]);
    expect([blog.Family, blog.Revision, blog.Limits.CPU]).toEqual(["blog", "3", 2]);
    expect([alone.Family, alone.Revision]).toEqual(["mine", "3"]);
  });
  test("by its label alone, which keeps one of another family away", async () => {
    const { ask, engine } = await start({ "shop.json": SHOP, "blog.json": BLOG_DEFINITION });
    const family = "com.amazonaws.ecs.task-definition-family";
    engine.add(member("x", "other", "10.0.0.6", { [family]: "blog" }));
    engine.add(member("y", "web", "10.0.0.7", { [family]: "elsewhere" }));
    expect((await ask("/v4/task", "10.0.0.6")).json).toMatchObject({ Family: "blog" });
    expect((await ask("/v4/task", "10.0.0.7")).json).toMatchObject({ Family: "elsewhere", LaunchType: "EC2" });
  });
});

describe("a file that is wrong", () => {
  test("stops the start with every problem of every file", () => {
    const { path, write, remove } = folder("definitions");
    ends.push(remove);
    const [one, two] = [write("one.json", '{"family":\n}'), write("two.json", { ...BLOG_DEFINITION, cpu: "x" })];
    const env = { ECS_LOCAL_TASK_DEFINITION: `${one},${path}/none.json,${two}`, TASK_METADATA_PATH: `${path}/none` };
    expect(() => startApp("unix:///nonexistent.sock", { env })).toThrow(
      expect.objectContaining({
        code: "bad-configuration",
        message: [
          `TASK_METADATA_PATH is '${path}/none', which cannot be read`,
          `ECS_LOCAL_TASK_DEFINITION is '${one}', which is not JSON: Unexpected token '}'`,
          `ECS_LOCAL_TASK_DEFINITION is '${path}/none.json', which cannot be read`,
          `ECS_LOCAL_TASK_DEFINITION is '${two}', in which cpu is 'x', which is neither CPU units of at least 128 (256) nor vCPU (0.25 or '2 vCPU')`,
        ].join("\n"),
      }),
    );
  });
});

test("a file that changes is used without a restart, and a broken one leaves the last good one", async () => {
  const { ask, write, log, paths } = await start({ "shop.json": SHOP });
  const facts = async () => {
    const { Revision, Limits, Containers } = (await ask("/v4/task", WEB)).json;
    return [Revision, Limits.CPU, Containers[1].Limits.CPU];
  };
  const change = (cpu: unknown) => {
    const [web, ...rest] = SHOP.taskDefinition.containerDefinitions;
    const containerDefinitions = [{ ...web, cpu }, ...rest];
    write("shop.json", { taskDefinition: { ...SHOP.taskDefinition, revision: 8, cpu: "512", containerDefinitions } });
  };
  expect(await facts()).toEqual(["7", 0.25, 128]);
  change("64");
  const said = await waitForLine(log, "cannot be used");
  expect(said).toMatchObject({ variable: "ECS_LOCAL_TASK_DEFINITION", path: paths[0] });
  expect(said.cause).toEndWith(
    'in which taskDefinition.containerDefinitions[0].cpu is "64", which is not a whole number of CPU units, 1024 to a vCPU',
  );
  expect(await facts()).toEqual(["7", 0.25, 128]);
  change(64);
  await waitForLine(log, "used again");
  expect(await facts()).toEqual(["8", 0.5, 64]);
  rmSync(paths[0] as string);
  await waitForLine(log, "cannot be read");
  expect(await facts()).toEqual(["8", 0.5, 64]);
});

test("the stop of an essential container is when the task's execution stopped", async () => {
  const { ask, engine } = await start({ "shop.json": SHOP });
  expect((await ask("/v4/task", DB)).json).not.toHaveProperty("ExecutionStoppedAt");
  await engine.stop("shop-db-1");
  await Bun.sleep(50);
  expect((await ask("/v4/task", WEB)).json).not.toHaveProperty("ExecutionStoppedAt");
  engine.start("shop-db-1");
  await engine.stop("shop-web-1");
  await Bun.sleep(50);
  const { json } = await ask("/v4/task", DB);
  const web = json.Containers.find(({ Name }: { Name: string }) => Name === "web");
  expect(web.KnownStatus).toBe("STOPPED");
  expect(json.ExecutionStoppedAt).toBe(web.FinishedAt);
});
