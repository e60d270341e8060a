import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import { containerDocument } from "../../../src/metadata/container-document.ts";
import { describeTask, LABELS } from "../../../src/metadata/task.ts";
import type { ContainerDefinition, TaskDefinition } from "../../../src/metadata/task-definition.ts";
import { type ContainerOptions, container, withComposeProject } from "../../support/containers.ts";
import { definition } from "./definition-builder.ts";

const TASK_ARN = "arn:aws:ecs:eu-west-1:111122223333:task/default/0f9d";
const config = { cluster: "c", taskArn: TASK_ARN, family: "f", revision: "1" };

function shop(options: Partial<ContainerOptions> = {}) {
  const document = withComposeProject(container({ name: "shop-web-1", ...options }), "shop", "web");
  document.HostConfig.LogConfig = { Type: "json-file", Config: { "max-size": "1m" } };
  return toContainer(document);
}

describe("a task's description", () => {
  const web = shop();
  const describeBy = (given: Partial<TaskDefinition>, env: object = {}, members = [web]) =>
    describeTask(members, "project shop", { ...config, ...env }, { cpus: 8, memoryBytes: 2 ** 34 }, () =>
      definition("shop", ["web"], given),
    );
  test("is the definition's before the configuration's", () => {
    const given = { revision: "7", cpu: 0.25, memoryMiB: 512, isFargate: true, isAwsvpc: true };
    const env = { cpu: 4, memoryMiB: 99, launchType: "EC2", networkMode: "bridge" };
    const expected = { revision: "7", cpu: 0.25, memoryMiB: 512, launchType: "FARGATE", networkMode: "awsvpc" };
    expect(describeBy(given, env)).toMatchObject({ ...config, ...expected, family: "shop" });
  });
  test("is the configuration's for what the definition does not say", () => {
    const env = { cpu: 4, launchType: "EXTERNAL", networkMode: "bridge" };
    const expected = { revision: "1", cpu: 4, memoryMiB: undefined, launchType: "EXTERNAL", networkMode: "bridge" };
    expect(describeBy({}, env)).toMatchObject({ ...expected, family: "shop" });
    expect(describeBy({})).toMatchObject({ cpu: undefined, launchType: "EC2", networkMode: undefined });
  });
  test("is its labels' before the definition's", () => {
    const labelled = { ...web, labels: { ...web.labels, [LABELS.family]: "own", [LABELS.revision]: "3" } };
    expect(describeBy({ revision: "7" }, {}, [labelled])).toMatchObject({ family: "own", revision: "3" });
  });
  test("is found by all members and what their labels say", () => {
    const labelled = { ...web, id: "y", labels: { ...web.labels, [LABELS.family]: "own" } };
    const stopped = { ...web, id: "z", running: false };
    const other = { ...web, id: "o", labels: {} };
    const asked: unknown[] = [];
    describeTask([web, labelled, stopped, other], "project shop", config, undefined, (members, said) => {
      asked.push(members.map(({ id }) => id).sort(), said);
      return undefined;
    });
    expect(asked).toEqual([[web.id, "y", "z"].sort(), { family: "own", revision: undefined }]);
  });
  test("of the machine is found by what runs in no project", () => {
    const stopped = { ...web, id: "z", running: false, labels: {} };
    const other = { ...web, id: "o", labels: {} };
    let ids: string[] = [];
    describeTask([web, stopped, other], undefined, config, undefined, (members) => {
      ids = members.map(({ id }) => id);
      return undefined;
    });
    expect(ids).toEqual(["o"]);
  });
});

function documentBy(given: Partial<ContainerDefinition>, facts = shop(), version: "v3" | "v4" = "v4") {
  const task = describeTask([facts], "project shop", config, undefined, () =>
    definition("shop", [{ name: "web", ...given }]),
  );
  return JSON.parse(JSON.stringify(containerDocument(facts, task, version, [])));
}

describe("a container's document", () => {
  test("has the definition's name, in its label too, beside its Docker name", () => {
    const document = documentBy({});
    expect([document.Name, document.DockerName]).toEqual(["web", "shop-web-1"]);
    expect(document.Labels).toMatchObject({ [LABELS.containerName]: "web", [LABELS.family]: "shop" });
  });
  test("has its own label's name first", () => {
    const document = documentBy({}, shop({ labels: { [LABELS.containerName]: "mine" } }));
    expect([document.Name, document.Labels[LABELS.containerName]]).toEqual(["mine", "mine"]);
  });
  for (const [given, limits] of [
    [
      { cpu: 256, memoryMiB: 128 },
      { CPU: 256, Memory: 128 },
    ],
    [{ cpu: 1 }, { CPU: 2, Memory: 64 }],
    [{ memoryMiB: 128 }, { CPU: 512, Memory: 128 }],
    [{}, { CPU: 512, Memory: 64 }],
  ] as const) {
    test(`has limits of the definition, else of the engine: ${JSON.stringify(given)}`, () => {
      const facts = shop({ cpuShares: 512, memoryBytes: 64 * 1024 * 1024 });
      for (const version of ["v3", "v4"] as const) expect(documentBy(given, facts, version).Limits).toEqual(limits);
    });
  }

  test("has the definition's log with the stream that ECS makes, in its place", () => {
    const options = { "awslogs-create-group": "true", "awslogs-stream-prefix": "ecs", mode: "non-blocking" };
    const document = documentBy({ log: { driver: "awslogs", options } });
    expect(document.LogDriver).toBe("awslogs");
    expect(JSON.stringify(document.LogOptions)).toBe(
      '{"awslogs-create-group":"true","awslogs-stream":"ecs/web/0f9d","mode":"non-blocking"}',
    );
  });
  test("has no options of the engine's driver beside another", () => {
    const document = documentBy({ log: { driver: "fluentd", options: {} } });
    expect([document.LogDriver, document.LogOptions]).toEqual(["fluentd", undefined]);
  });
  test("has the engine's log where the definition has none", () => {
    expect(documentBy({})).toMatchObject({ LogDriver: "json-file", LogOptions: { "max-size": "1m" } });
  });
  test("has no log in V3", () => {
    expect(documentBy({ log: { driver: "fluentd", options: {} } }, shop(), "v3")).not.toHaveProperty("LogDriver");
  });

  test("has a health by the definition's check, or the engine's", () => {
    const healthy = shop({ health: { status: "healthy" } });
    expect(documentBy({})).not.toHaveProperty("Health");
    expect(documentBy({ hasHealthCheck: true }).Health).toEqual({});
    expect(documentBy({ hasHealthCheck: true }, shop(), "v3").Health).toEqual({});
    expect(documentBy({}, healthy).Health).toEqual({ status: "HEALTHY" });
    expect(documentBy({ hasHealthCheck: true }, healthy).Health).toEqual({ status: "HEALTHY" });
  });
  test("has a count of restarts by the definition's policy, or the engine's", () => {
    expect(documentBy({})).not.toHaveProperty("RestartCount");
    expect(documentBy({ restarts: true }).RestartCount).toBe(0);
    expect(documentBy({}, shop({ restartPolicy: "always" })).RestartCount).toBe(0);
  });
  test("has the definition's labels where its own and the task's are not", () => {
    const dockerLabels = { team: "a", stage: "dev", [LABELS.family]: "wrong" };
    const { Labels } = documentBy({ dockerLabels }, shop({ labels: { team: "b" } }));
    expect(Labels).toMatchObject({ team: "b", stage: "dev", [LABELS.family]: "shop" });
  });
  test("that the definition does not name is the engine's", () => {
    const document = documentBy({ name: "other", cpu: 256, hasHealthCheck: true, restarts: true });
    expect(document).toMatchObject({ Name: "shop-web-1", Limits: { CPU: 2, Memory: 0 }, LogDriver: "json-file" });
    expect(document).not.toContainKeys(["Health", "RestartCount"]);
  });
});
