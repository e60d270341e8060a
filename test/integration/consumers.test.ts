import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Running, serve } from "../../src/commands/serve.ts";
import { parseConfig } from "../../src/config/config.ts";
import { detectInGo, detectInJavaScript, go, logEmbeddedMetric, receive } from "../support/consumers/clients.ts";
import { container, withComposeProject, withLabels } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { freePort } from "../support/free-port.ts";
import { note } from "../support/secrets.ts";
import { describeWhere } from "../support/tools.ts";

const ARN = "arn:aws:ecs:eu-west-1:111122223333:";
const LOGS = "arn:aws:logs:eu-west-1:111122223333:log-group:/ecs/shop";
/** Ends with the container's id, as far as an id of ECS goes. */
const CONTAINER_ARN = `${ARN}container/staging/0f9de17a6465404e8b1b2356dc13c2f8/ed891d8d-10b6-67d8-2915-a37e823aff63`;
const MINUTE_MS = 60_000;

const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

const web = withLabels(
  withComposeProject(container({ name: "shop-web-1", cpuShares: 256, memoryBytes: 128 * 1024 * 1024 }), "shop", "web"),
  { "com.amazonaws.ecs.container-name": "web" },
);
web.HostConfig.LogConfig = {
  Type: "awslogs",
  Config: { "awslogs-group": "/ecs/shop", "awslogs-region": "eu-west-1", "awslogs-stream": "ecs/web/0f9de17a" },
};
const ended = { running: false, exitCode: 3, startedAt: ago(3 * MINUTE_MS), finishedAt: ago(MINUTE_MS) };
const job = withComposeProject(container({ name: "shop-job-1", ...ended }), "shop", "job");

const ENV = {
  HOME: "/nonexistent",
  ECS_LOCAL_OFFLINE: "1",
  ECS_LOCAL_LOG_LEVEL: "error",
  CLUSTER_ARN: `${ARN}cluster/staging`,
  TASK_ARN: `${ARN}task/staging/0f9de17a6465404e8b1b2356dc13c2f8`,
  TASK_DEFINITION_FAMILY: "shop",
  TASK_DEFINITION_REVISION: "7",
  AVAILABILITY_ZONE: "eu-west-1c",
  LAUNCH_TYPE: "FARGATE",
  TASK_CPU: "0.5",
  TASK_MEMORY: "512",
};

// What no engine on a developer's machine can have without an account, or has only for a while.
describeWhere("the consumers of task metadata", "missing" in go ? go.missing : undefined, () => {
  let engine: ReturnType<typeof startFakeEngine>;
  let server: Running;
  let endpoints: Record<string, string>;

  beforeAll(async () => {
    engine = startFakeEngine({ containers: [web, job], statsIntervalMs: 100 });
    const env = { ...ENV, DOCKER_HOST: engine.host, ECS_LOCAL_METADATA_PORT: String(freePort()) };
    server = await serve(parseConfig(env), env, note);
    const base = `http://127.0.0.1:${server.port}`;
    endpoints = {
      ECS_CONTAINER_METADATA_URI: `${base}/v3/containers/web`,
      ECS_CONTAINER_METADATA_URI_V4: `${base}/v4/containers/web`,
    };
  });
  afterAll(async () => {
    await server.stop("end of the test");
    await engine.stop();
  });

  describe("are told what is configured, and of a log group", () => {
    const wanted = {
      "aws.ecs.cluster.arn": ENV.CLUSTER_ARN,
      "aws.ecs.container.arn": CONTAINER_ARN,
      "aws.ecs.launchtype": "fargate",
      "aws.ecs.task.arn": ENV.TASK_ARN,
      "aws.ecs.task.family": "shop",
      "aws.ecs.task.revision": "7",
      "aws.log.group.names": ["/ecs/shop"],
      "aws.log.stream.names": ["ecs/web/0f9de17a"],
      "aws.log.stream.arns": [`${LOGS}:log-stream:ecs/web/0f9de17a`],
      "cloud.account.id": "111122223333",
      "cloud.availability_zone": "eu-west-1c",
      "cloud.region": "eu-west-1",
      "cloud.resource_id": CONTAINER_ARN,
    };

    test("by the detector of Go", async () => {
      expect(await detectInGo(endpoints)).toMatchObject({ ...wanted, "aws.log.group.arns": [`${LOGS}:*`] });
    }, 30_000);

    test("by the detector of JavaScript", async () => {
      expect(await detectInJavaScript(endpoints)).toMatchObject({ ...wanted, "aws.log.group.arns": [LOGS] });
    }, 30_000);

    test("by aws-embedded-metrics", async () => {
      const logged = await logEmbeddedMetric(endpoints);
      expect(logged).toMatchObject({ cluster: ENV.CLUSTER_ARN, taskArn: ENV.TASK_ARN, image: "alpine:3.20" });
    }, 30_000);
  });

  test("the collector's receiver knows the limits, and how long a member ran that has ended", async () => {
    const round = await receive(endpoints, 2);
    expect(round.map(({ attributes }) => attributes["container.name"]).sort()).toEqual([
      "shop-job-1",
      "web",
      undefined,
    ]);
    for (const { attributes, metrics } of round) {
      const name = attributes["container.name"];
      if (name === "web")
        expect(metrics).toMatchObject({ "container.cpu.reserved": 256, "container.memory.reserved": 128 });
      if (name === undefined)
        expect(metrics).toMatchObject({ "ecs.task.cpu.reserved": 512, "ecs.task.memory.reserved": 512 });
      if (name !== "shop-job-1") continue;
      expect(attributes).toMatchObject({
        "aws.ecs.container.know_status": "STOPPED",
        "aws.ecs.container.exit_code": 3,
      });
      expect(metrics).toEqual({ "container.duration": expect.closeTo(120, 0) });
    }
  }, 30_000);
});
