import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import { createBodies } from "../../../src/metadata/task-document.ts";
import { container } from "../../support/containers.ts";

const task = {
  cluster: "local",
  taskArn: "arn:t",
  family: "fam",
  revision: "1",
  launchType: "EC2",
  machine: undefined,
};
const running = { running: true, withTags: false };
const make = (name: string, labels: Record<string, string> = {}) => toContainer(container({ name, labels }));
const web = make("web");
const db = make("db");
const bodies = createBodies({});

describe("a task's document", () => {
  const HEAD =
    '{"Cluster":"local","TaskARN":"arn:t","Family":"fam","Revision":"1","DesiredStatus":"RUNNING","KnownStatus":"RUNNING"';
  test("holds its members' documents in the order given", () => {
    const containers = `[${bodies.container(web, task, "v3")},${bodies.container(db, task, "v3")}]`;
    expect(
      bodies.task(task, running, [bodies.container(web, task, "v3"), bodies.container(db, task, "v3")], "v3"),
    ).toBe(`${HEAD},"Containers":${containers}}`);
  });
  test("has no Containers without members", () => expect(bodies.task(task, running, [], "v3")).toBe(`${HEAD}}`));
});

describe("a container's labels", () => {
  const labelled = make("ecs-shop-7-app-c2e5", {
    team: "a",
    "com.amazonaws.ecs.container-name": "app",
    "com.amazonaws.ecs.cluster": "default",
  });
  test("win over the five that are added", () => {
    expect(JSON.parse(bodies.container(labelled, task, "v3")).Labels).toEqual({
      team: "a",
      "com.amazonaws.ecs.cluster": "default",
      "com.amazonaws.ecs.container-name": "app",
      "com.amazonaws.ecs.task-arn": "arn:t",
      "com.amazonaws.ecs.task-definition-family": "fam",
      "com.amazonaws.ecs.task-definition-version": "1",
    });
  });
  test("give its Name, beside the name that Docker has", () => {
    expect(bodies.container(labelled, task, "v3")).toContain('"Name":"app","DockerName":"ecs-shop-7-app-c2e5"');
  });
  test("give no Name where the label is empty", () => {
    const unnamed = make("web", { "com.amazonaws.ecs.container-name": "" });
    expect(bodies.container(unnamed, task, "v3")).toContain('"Name":"web","DockerName":"web"');
  });
  for (const [label, value] of [
    ["com.amazonaws.ecs.cluster", "local"],
    ["com.amazonaws.ecs.container-name", "web"],
    ["com.amazonaws.ecs.task-arn", "arn:t"],
    ["com.amazonaws.ecs.task-definition-family", "fam"],
    ["com.amazonaws.ecs.task-definition-version", "1"],
  ] as const) {
    test(`leave ${label} to the task where it is empty`, () => {
      const empty = make("web", { [label]: "", team: "" });
      expect(JSON.parse(bodies.container(empty, task, "v3")).Labels).toMatchObject({ [label]: value, team: "" });
    });
  }
});

describe("labels that are called like an object's own properties", () => {
  for (const label of ["constructor", "toString"]) {
    test(`keep the empty one called ${label}`, () => {
      expect(JSON.parse(bodies.container(make("web", { [label]: "" }), task, "v3")).Labels[label]).toBe("");
    });
  }
});

describe("an override", () => {
  test("of containers is merged over each of them, and wins", () => {
    const made = createBodies({ containerOverride: { Image: "mine", Labels: { team: "b" }, Extra: [1] } });
    for (const document of [
      JSON.parse(made.container(web, task, "v3")),
      ...JSON.parse(made.task(task, running, [made.container(db, task, "v3"), made.container(db, task, "v3")], "v3"))
        .Containers,
    ]) {
      expect(document).toMatchObject({ Image: "mine", Extra: [1], Type: "NORMAL" });
      expect(document.Labels).toMatchObject({ team: "b", "com.amazonaws.ecs.cluster": "local" });
    }
  });
  test("of containers keeps the agent's order, and puts what it adds last", () => {
    const made = createBodies({ containerOverride: { Extra: 1, Health: { status: "HEALTHY" } } });
    const plain = Object.keys(JSON.parse(bodies.container(web, task, "v3")));
    expect(Object.keys(JSON.parse(made.container(web, task, "v3")))).toEqual([...plain, "Health", "Extra"]);
  });
  test("of the task is merged over the task, and replaces its containers whole", () => {
    const made = createBodies({
      taskOverride: { Family: "mine", Limits: { CPU: 0.25 }, Containers: [{ Name: "only" }] },
    });
    expect(made.task(task, running, [made.container(web, task, "v3"), made.container(db, task, "v3")], "v3")).toBe(
      '{"Cluster":"local","TaskARN":"arn:t","Family":"mine","Revision":"1","DesiredStatus":"RUNNING",' +
        '"KnownStatus":"RUNNING","Containers":[{"Name":"only"}],"Limits":{"CPU":0.25}}',
    );
  });
  test("of the task leaves containers alone", () => {
    const made = createBodies({ taskOverride: { Family: "mine" } });
    expect(made.container(web, task, "v3")).toBe(bodies.container(web, task, "v3"));
    expect(made.task(task, running, [made.container(web, task, "v3")], "v3")).toBe(
      bodies
        .task(task, running, [bodies.container(web, task, "v3")], "v3")
        .replace('"Family":"fam"', '"Family":"mine"'),
    );
  });
  test("of the task makes no Containers where there are no members", () => {
    const made = createBodies({ taskOverride: { Family: "mine" } });
    expect(made.task(task, running, [], "v3")).toBe(
      bodies.task(task, running, [], "v3").replace('"Family":"fam"', '"Family":"mine"'),
    );
    expect(JSON.parse(made.task(task, running, [], "v3"))).not.toHaveProperty("Containers");
  });
});
