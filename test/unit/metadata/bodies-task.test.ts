import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import { type BodyOptions, createBodies } from "../../../src/metadata/bodies.ts";
import { container } from "../../support/containers.ts";

const task = { cluster: "local", taskArn: "arn:t", family: "fam", revision: "1" };
const make = (name: string, labels: Record<string, string> = {}) => toContainer(container({ name, labels }));
const web = make("web");
const db = make("db");
const bodies = createBodies({ task });
const withOverride = (override: Omit<BodyOptions, "task">) => createBodies({ task, ...override });

describe("a task's document", () => {
  const HEAD =
    '{"Cluster":"local","TaskARN":"arn:t","Family":"fam","Revision":"1","DesiredStatus":"RUNNING","KnownStatus":"RUNNING"';
  test("holds its members' documents in the order given", () => {
    const containers = `[${bodies.container(web)},${bodies.container(db)}]`;
    expect(bodies.task(web, [web, db])).toBe(`${HEAD},"Containers":${containers}}`);
  });
  test("has no Containers without members", () => expect(bodies.task(undefined, [])).toBe(`${HEAD}}`));
  test("says what its member's labels say, and the revision as text", () => {
    const labelled = make("web", {
      "com.amazonaws.ecs.cluster": "default",
      "com.amazonaws.ecs.task-arn": "arn:own",
      "com.amazonaws.ecs.task-definition-family": "shop",
      "com.amazonaws.ecs.task-definition-version": "7",
    });
    expect(bodies.task(labelled, [])).toStartWith(
      '{"Cluster":"default","TaskARN":"arn:own","Family":"shop","Revision":"7","DesiredStatus"',
    );
  });
});

describe("a container's labels", () => {
  const labelled = make("ecs-shop-7-app-c2e5", {
    team: "a",
    "com.amazonaws.ecs.container-name": "app",
    "com.amazonaws.ecs.cluster": "default",
  });
  test("win over the five that are added", () => {
    expect(JSON.parse(bodies.container(labelled)).Labels).toEqual({
      team: "a",
      "com.amazonaws.ecs.cluster": "default",
      "com.amazonaws.ecs.container-name": "app",
      "com.amazonaws.ecs.task-arn": "arn:t",
      "com.amazonaws.ecs.task-definition-family": "fam",
      "com.amazonaws.ecs.task-definition-version": "1",
    });
  });
  test("give its Name, beside the name that Docker has", () => {
    expect(bodies.container(labelled)).toContain('"Name":"app","DockerName":"ecs-shop-7-app-c2e5"');
  });
  test("give no Name where the label is empty", () => {
    const unnamed = make("web", { "com.amazonaws.ecs.container-name": "" });
    expect(bodies.container(unnamed)).toContain('"Name":"web","DockerName":"web"');
  });
});

describe("an override", () => {
  test("of containers is merged over each of them, and wins", () => {
    const made = withOverride({ containerOverride: { Image: "mine", Labels: { team: "b" }, Extra: [1] } });
    for (const document of [JSON.parse(made.container(web)), ...JSON.parse(made.task(web, [db, db])).Containers]) {
      expect(document).toMatchObject({ Image: "mine", Extra: [1], Type: "NORMAL" });
      expect(document.Labels).toMatchObject({ team: "b", "com.amazonaws.ecs.cluster": "local" });
    }
  });
  test("of containers keeps the agent's order, and puts what it adds last", () => {
    const made = withOverride({ containerOverride: { Extra: 1, Health: { status: "HEALTHY" } } });
    const plain = Object.keys(JSON.parse(bodies.container(web)));
    expect(Object.keys(JSON.parse(made.container(web)))).toEqual([...plain, "Health", "Extra"]);
  });
  test("of the task is merged over the task, and replaces its containers whole", () => {
    const made = withOverride({
      taskOverride: { Family: "mine", Limits: { CPU: 0.25 }, Containers: [{ Name: "only" }] },
    });
    expect(made.task(web, [web, db])).toBe(
      '{"Cluster":"local","TaskARN":"arn:t","Family":"mine","Revision":"1","DesiredStatus":"RUNNING",' +
        '"KnownStatus":"RUNNING","Containers":[{"Name":"only"}],"Limits":{"CPU":0.25}}',
    );
  });
  test("of the task leaves containers alone", () => {
    const made = withOverride({ taskOverride: { Family: "mine" } });
    expect(made.container(web)).toBe(bodies.container(web));
    expect(made.task(web, [web])).toBe(bodies.task(web, [web]).replace('"Family":"fam"', '"Family":"mine"'));
  });
});
