import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/config/json-file.ts";
import { toContainer } from "../../../src/engine/container.ts";
import { createContainerStore } from "../../../src/engine/container-store.ts";
import { createBodies } from "../../../src/metadata/task-document.ts";
import { createTasks } from "../../../src/metadata/tasks.ts";
import { container, withComposeProject } from "../../support/containers.ts";
import { definition } from "./definition-builder.ts";

const NOW = Date.parse("2026-01-02T05:00:00Z");
const SHOP = "project shop";
const config = { cluster: "c", taskArn: "t", family: "f", revision: "1" };

function member(service: string, finishedAt?: string, number = 1) {
  const name = `shop-${service}-${number}`;
  const ended = finishedAt === undefined ? {} : { running: false, finishedAt };
  return toContainer(withComposeProject(container({ name, ...ended }), "shop", service));
}

function setup(...members: ReturnType<typeof member>[]) {
  const store = createContainerStore();
  for (const each of members) store.put(each);
  const world = {
    store,
    revision: 0,
    now: NOW,
    definition: definition("shop", ["web", "db", { name: "job", essential: false }]) as
      | ReturnType<typeof definition>
      | undefined,
    taskOverride: undefined as JsonObject | undefined,
    containerOverride: undefined as JsonObject | undefined,
  };
  const bodies = createBodies({
    get taskOverride() {
      return world.taskOverride;
    },
    get containerOverride() {
      return world.containerOverride;
    },
  });
  const tasks = createTasks({
    store,
    bodies,
    config,
    definitionOf: (members) => (members.length > 0 ? world.definition : undefined),
    filesRevision: () => world.revision,
    now: () => world.now,
  });
  const taskOf = (key: string | undefined, version: "v3" | "v4") => JSON.parse(tasks.body(key, version, false));
  const task = (version: "v3" | "v4" = "v4") => taskOf(SHOP, version);
  return { world, tasks, task, taskOf };
}

describe("ExecutionStoppedAt", () => {
  const [early, late] = ["2026-01-02T04:00:00.5Z", "2026-01-02T04:00:01Z"];
  test("is when the first essential member stopped, in every version, before the zone", () => {
    const { task } = setup(member("web", late), member("db", early), member("job"));
    for (const version of ["v3", "v4"] as const) expect(task(version).ExecutionStoppedAt).toBe(early);
    const labelled = { ...member("job"), labels: { "com.amazonaws.ecs.task-arn": "arn:aws:ecs:r:1:task/c/t" } };
    const stopped = { ...member("web", late), labels: { ...labelled.labels, "com.docker.compose.service": "web" } };
    const keys = Object.keys(setup(labelled, stopped).taskOf("task arn:aws:ecs:r:1:task/c/t", "v4"));
    expect(keys.slice(keys.indexOf("ExecutionStoppedAt"))).toEqual([
      "ExecutionStoppedAt",
      "AvailabilityZone",
      "LaunchType",
      "Containers",
      "FaultInjectionEnabled",
    ]);
  });
  for (const [title, members] of [
    ["while all run", [member("web"), member("db")]],
    ["when only what is not essential stopped", [member("web"), member("job", early)]],
    ["when only what the definition does not name stopped", [member("web"), member("stub", early)]],
    ["while another container of that name runs", [member("web"), member("web", early, 2)]],
    ["when it stopped three hours ago", [member("db"), member("web", "2026-01-02T01:00:00Z")]],
  ] as const) {
    test(`is left out ${title}`, () => expect(setup(...members).task()).not.toHaveProperty("ExecutionStoppedAt"));
  }
  test("is left out without a definition, which alone says what is essential", () => {
    const { world, task } = setup(member("web", early), member("db"));
    world.definition = undefined;
    expect(task()).not.toHaveProperty("ExecutionStoppedAt");
  });
  test("of the machine's task is of its own containers, and not of a project's", () => {
    const alone = toContainer(container({ name: "db" }));
    const { taskOf } = setup(member("web", early), alone);
    expect(taskOf(undefined, "v4")).not.toHaveProperty("ExecutionStoppedAt");
  });
  test("ends with the stay of what stopped, without a change of the store", () => {
    const { world, task } = setup(member("web", early), member("db"));
    expect(task("v3").ExecutionStoppedAt).toBe(early);
    world.now = Date.parse(early) + 3 * 3_600_000;
    expect(task("v3")).not.toHaveProperty("ExecutionStoppedAt");
  });
});

test("a task has no faults to inject, whatever its definition enables", () => {
  expect(setup(member("web")).task().FaultInjectionEnabled).toBeFalse();
});

describe("a file that has changed is in the next answer", () => {
  const web = member("web");
  for (const [title, change, expected] of [
    ["a definition", { definition: definition("new", [{ name: "web", cpu: 64 }]) }, ["new", 64, undefined]],
    ["an override of tasks", { taskOverride: { Family: "mine" } }, ["mine", 2, undefined]],
    ["an override of containers", { containerOverride: { Extra: 1 } }, ["shop", 2, 1]],
  ] as const) {
    test(title, () => {
      const { world, tasks, task } = setup(web);
      const facts = () => {
        const { Family, Containers } = task();
        expect(JSON.parse(tasks.container(web, "v4"))).toEqual(Containers[0]);
        return [Family, Containers[0].Limits.CPU, Containers[0].Extra];
      };
      expect(facts()).toEqual(["shop", 2, undefined]);
      Object.assign(world, change);
      world.revision += 1;
      expect(facts()).toEqual([...expected]);
    });
  }
});
