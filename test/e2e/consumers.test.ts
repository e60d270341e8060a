import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { askScript } from "../support/ask.ts";
import { startBinary } from "../support/binary.ts";
import {
  type Attributes,
  detectInGo,
  detectInJavaScript,
  GO_BIND,
  GO_IN_CONTAINER,
  go,
  lastRound,
  logEmbeddedMetric,
  type Measured,
  receive,
} from "../support/consumers/clients.ts";
import { MEASURED, POSITIVE } from "../support/consumers/receiver-metrics.ts";
import { describeEngines } from "../support/engines.ts";
import { type Project, startProject } from "../support/projects.ts";
import { describeWhere } from "../support/tools.ts";

const TASK_ID = "37e873f6-37b4-42a7-af47-eac7275c6152";
const ARN = "arn:aws:ecs:us-west-2:111111111111:";
const TASK_ARN = `${ARN}task/ecs-local-cluster/${TASK_ID}`;
/** A second each: Podman takes a sample every 5 s, and a rate needs two. */
const ROUNDS = 14;

describeWhere("the consumers of task metadata", "missing" in go ? go.missing : undefined, () => {
  describeEngines("find containers", ({ engine, freeSubnet }) => {
    let server: Awaited<ReturnType<typeof startBinary>>;
    let project: Project;
    /** Is of no project, and has no label. */
    let plain: string;
    /** Words of a shell that say to a client in a container where the endpoints are: it is known by its address. */
    let inContainer: string;
    let written: readonly number[];
    let received: { readonly byName: Measured[]; readonly inContainer: Measured[]; readonly plain: Measured[] };

    const at = (name: string) => ({
      ECS_CONTAINER_METADATA_URI: `http://127.0.0.1:${server.port}/v3/containers/${name}`,
      ECS_CONTAINER_METADATA_URI_V4: `http://127.0.0.1:${server.port}/v4/containers/${name}`,
    });
    const documentOf = async (name: string) =>
      (await (await server.get(`/v4/containers/${name}`)).json()) as Record<string, string>;

    beforeAll(async () => {
      server = await startBinary({
        DOCKER_HOST: engine.host,
        ECS_LOCAL_BIND_ADDRESS: "0.0.0.0",
        ECS_LOCAL_OFFLINE: "1",
      });
      const network = await engine.createNetwork(freeSubnet());
      const base = `http://${network.gateway}:${server.port}`;
      inContainer = `ECS_CONTAINER_METADATA_URI=${base}/v3 ECS_CONTAINER_METADATA_URI_V4=${base}/v4`;
      // Has something to measure: it computes, writes, and asks the server.
      const write = "busybox dd if=/dev/zero of=/file bs=65536 count=4 conv=fsync 2>/dev/null";
      const ask = askScript(network.gateway, server.port, "/health");
      const command = ["sh", "-c", `while :; do ${write}; (${ask}) >/dev/null; busybox sleep 0.1; done`];
      const options = { command, binds: [GO_BIND] };
      project = await startProject(engine, "cons-shop", network, ["web", "db", "queue"], options);
      plain = await engine.run({ ...options, name: "cons-plain", network });
      written = await Promise.all(project.ids.map(bytesWritten));
      const [byName, outputInContainer, ofPlain] = await Promise.all([
        receive(at("cons-shop-web-1"), ROUNDS),
        engine.exec(project.ids[1] ?? "", `${inContainer} ${GO_IN_CONTAINER} receiver ${ROUNDS}`),
        receive(at("cons-plain"), ROUNDS),
      ]);
      received = { byName, inContainer: lastRound(outputInContainer), plain: ofPlain };
    }, 90_000);

    afterAll(async () => {
      await server.stop();
      await engine.cleanUp();
    }, 60_000);

    describe("with the collector's receiver awsecscontainermetrics", () => {
      test("every member and the task is measured", () => {
        for (const round of [received.byName, received.inContainer]) {
          expect(idsOf(round)).toEqual([...project.ids].sort());
          expect(round).toHaveLength(project.ids.length + 1);
          for (const { attributes, metrics } of round) {
            const prefix = attributes["container.id"] === undefined ? "ecs.task." : "container.";
            expect(Object.keys(metrics)).toContainValues(MEASURED.map((name) => prefix + name));
            for (const name of POSITIVE) expect(metrics[prefix + name], prefix + name).toBeGreaterThan(0);
          }
          expect(round.at(-1)?.metrics["ecs.task.memory.reserved"]).toBeGreaterThan(0);
        }
      });

      test("what was written is no less than what the engine counted before", () => {
        // Zero where the kernel keeps no account of block devices.
        project.ids.forEach((id, index) => {
          const metrics = measuredOf(received.byName, id)?.metrics;
          expect(metrics?.["container.storage.write_bytes"]).toBeGreaterThanOrEqual(written[index] ?? 0);
        });
      });

      test("each container and the task has its names", async () => {
        const document = await documentOf("cons-shop-web-1");
        const ofTask = {
          "aws.ecs.cluster.name": "ecs-local-cluster",
          "aws.ecs.launchtype": "ec2",
          "aws.ecs.task.arn": TASK_ARN,
          "aws.ecs.task.family": "esc-local-task-definition",
          "aws.ecs.task.id": TASK_ID,
          "aws.ecs.task.known_status": "RUNNING",
          "aws.ecs.task.revision": "1",
          "cloud.account.id": "111111111111",
          "cloud.availability_zone": "us-west-2a",
          "cloud.region": "us-west-2",
        };
        expect(received.byName.at(-1)?.attributes).toMatchObject(ofTask);
        expect(measuredOf(received.byName, project.ids[0])?.attributes).toMatchObject({
          ...ofTask,
          "aws.ecs.container.created_at": document.CreatedAt,
          "aws.ecs.container.image.id": document.ImageID,
          "aws.ecs.container.know_status": "RUNNING",
          "aws.ecs.container.started_at": document.StartedAt,
          "aws.ecs.docker.name": "cons-shop-web-1",
          "container.image.name": expect.stringMatching(/lab\/busybox$/),
          "container.image.tag": "1",
          "container.name": "cons-shop-web-1",
        });
      });

      test("a container of no project is measured", () => {
        const metrics = measuredOf(received.plain, plain)?.metrics;
        for (const name of POSITIVE) expect(metrics?.[`container.${name}`], name).toBeGreaterThan(0);
      });
    });

    for (const name of ["cons-shop-db-1", "cons-plain"]) {
      test(`the detectors of Go and JavaScript find all attributes of ${name}`, async () => {
        const wanted = expectedOf(await documentOf(name));
        expect(await detectInGo(at(name))).toMatchObject(wanted);
        expect(await detectInJavaScript(at(name))).toMatchObject(wanted);
      }, 60_000);

      test(`aws-embedded-metrics says which container ${name} is`, async () => {
        const { Image, CreatedAt, StartedAt } = await documentOf(name);
        expect(await logEmbeddedMetric(at(name))).toMatchObject({
          LogGroup: "busybox:1",
          ServiceName: "busybox:1",
          ServiceType: "AWS::ECS::Container",
          createdAt: CreatedAt,
          startedAt: StartedAt,
          image: Image,
          cluster: "ecs-local-cluster",
          taskArn: TASK_ARN,
          Orders: 1,
        });
      }, 60_000);
    }

    test("the detector of Go in a container finds its own attributes", async () => {
      const id = project.ids[2] ?? "";
      const found = JSON.parse(await engine.exec(id, `${inContainer} ${GO_IN_CONTAINER} detector`));
      const wanted = expectedOf(await documentOf("cons-shop-queue-1"));
      expect(found).toMatchObject({ ...wanted, "container.name": id.slice(0, 12) });
    }, 60_000);

    async function bytesWritten(id: string): Promise<number> {
      const response = await engine.call("GET", `/containers/${id}/stats?stream=false`);
      const { blkio_stats } = (await response.json()) as {
        readonly blkio_stats: { readonly io_service_bytes_recursive: readonly { op: string; value: number }[] | null };
      };
      const items = blkio_stats.io_service_bytes_recursive ?? [];
      return items.filter(({ op }) => /^write$/i.test(op)).reduce((sum, { value }) => sum + value, 0);
    }
  });
});

function idsOf(round: readonly Measured[]): unknown[] {
  return round.flatMap(({ attributes }) => attributes["container.id"] ?? []).sort();
}

function measuredOf(round: readonly Measured[], id: string | undefined): Measured | undefined {
  return round.find(({ attributes }) => attributes["container.id"] === id);
}

/** What both detectors find. Name and id of the container they take from the machine that they run on. */
function expectedOf({ ContainerARN = "" }: Readonly<Record<string, string>>): Attributes {
  expect(ContainerARN).toStartWith(`${ARN}container/ecs-local-cluster/${TASK_ID}/`);
  return {
    "aws.ecs.cluster.arn": `${ARN}cluster/ecs-local-cluster`,
    "aws.ecs.container.arn": ContainerARN,
    "aws.ecs.launchtype": "ec2",
    "aws.ecs.task.arn": TASK_ARN,
    "aws.ecs.task.family": "esc-local-task-definition",
    "aws.ecs.task.revision": "1",
    "cloud.account.id": "111111111111",
    "cloud.availability_zone": "us-west-2a",
    "cloud.platform": "aws_ecs",
    "cloud.provider": "aws",
    "cloud.region": "us-west-2",
    "cloud.resource_id": ContainerARN,
  };
}
