import { describe, expect, test } from "bun:test";
import { type Container, toContainer } from "../../../src/engine/container.ts";
import { createContainerStore } from "../../../src/engine/container-store.ts";
import { LABELS, taskKey } from "../../../src/metadata/task.ts";
import { createBodies } from "../../../src/metadata/task-document.ts";
import { createTasks } from "../../../src/metadata/tasks.ts";
import { container } from "../../support/containers.ts";

const config = { cluster: "c", taskArn: "t", family: "f", revision: "1" };
const unsaid = { availabilityZone: undefined, machine: undefined };
const defaults = { ...config, ...unsaid, launchType: "EC2" };
const running = { running: true, withTags: false };
const SHOP = "project shop";
const make = (name: string, labels: Record<string, string> = {}, running = true) =>
  toContainer(container({ name, id: name, labels, running }));
const ofShop = (name: string, labels: Record<string, string> = {}, running = true) =>
  make(name, { [LABELS.project]: "shop", ...labels }, running);
const web = ofShop("web", { [LABELS.family]: "web" });
const db = ofShop("db");
const job = ofShop("job", {}, false);
const alone = make("alone");

function setup(containers = [web, db, job, alone]) {
  const store = createContainerStore();
  for (const each of containers) store.put(each);
  const bodies = createBodies({});
  const world = { nowMs: Date.parse("2026-01-02T05:00:00Z") };
  let made = 0;
  const task: typeof bodies.task = (...given) => {
    made += 1;
    return bodies.task(...given);
  };
  const tasks = createTasks({ store, bodies: { ...bodies, task }, config, now: () => world.nowMs });
  return { store, bodies, tasks, world, made: () => made };
}

describe("the description of a task", () => {
  test("is what its containers say, and that of another task another", () => {
    const { tasks } = setup();
    expect(tasks.description(SHOP)).toEqual({ ...defaults, family: "web" });
    expect(tasks.description(undefined)).toEqual(defaults);
    expect(tasks.description("project gone")).toEqual(defaults);
  });

  test("is not what those say that stopped long ago, or ran beside the task", () => {
    const ghost = { [LABELS.family]: "ghost", [LABELS.cluster]: "ghost" };
    const gone = make("gone", ghost, false);
    const oneOff = ofShop("a-run", { ...ghost, [LABELS.oneOff]: "True" });
    const { tasks, world } = setup([db, ofShop("a-gone", ghost, false), oneOff, gone, alone]);
    world.nowMs = Date.parse(gone.finishedAt ?? "") + 3 * 3_600_000;
    expect([tasks.description(SHOP), tasks.description(undefined)]).toEqual([defaults, defaults]);
    expect(setup([oneOff]).tasks.description(SHOP)).toMatchObject({ family: "ghost" });
    // Nor once that is long ago, though nothing else has changed.
    const later = setup([db, ofShop("a-gone", ghost, false)]);
    expect(later.tasks.description(SHOP)).toMatchObject({ family: "ghost" });
    later.world.nowMs = world.nowMs;
    expect(later.tasks.description(SHOP)).toEqual(defaults);
  });

  for (const [field, label] of [
    ["cluster", LABELS.cluster],
    ["family", LABELS.family],
    ["revision", LABELS.revision],
  ] as const) {
    test(`follows the store with its ${field}`, () => {
      const { store, tasks } = setup();
      const first = tasks.description(SHOP);
      store.put(ofShop("a-first", { [label]: "new" }));
      expect(tasks.description(SHOP)).toEqual({ ...first, [field]: "new" });
      store.remove("a-first");
      expect(tasks.description(SHOP)).toEqual(first);
    });
  }
});

test("a member of a project has one document, by its own route and in the machine's task", () => {
  const { tasks } = setup([ofShop("web", { [LABELS.family]: "own" }), alone]);
  const web = JSON.parse(tasks.body(SHOP, "v3", false)).Containers[0];
  expect(JSON.parse(tasks.body(undefined, "v3", false)).Containers).toContainEqual(web);
  expect(web.Labels[LABELS.family]).toBe("own");
});

describe("the body of a task", () => {
  test("is of its running members, by name", () => {
    const { bodies, tasks } = setup();
    const made = (...members: Container[]) => members.map((each) => tasks.container(each, "v3"));
    expect(tasks.body(SHOP, "v3", false)).toBe(bodies.task(tasks.description(SHOP), running, made(db, web), "v3"));
    expect(tasks.body(undefined, "v3", false)).toBe(
      bodies.task(tasks.description(undefined), running, made(alone, db, web), "v3"),
    );
    expect(tasks.body("project gone", "v3", false)).toBe(bodies.task(defaults, running, [], "v3"));
  });

  test("is the same whatever the order of the engine", () => {
    const labelled = [ofShop("a", { [LABELS.family]: "a" }), ofShop("b", { [LABELS.family]: "b" }), web];
    expect(setup(labelled).tasks.body(SHOP, "v3", false)).toBe(
      setup(labelled.toReversed()).tasks.body(SHOP, "v3", false),
    );
  });

  test("is made once, until the store changes", () => {
    const { store, tasks, made } = setup();
    const first = tasks.body(SHOP, "v3", false);
    tasks.description(SHOP);
    expect([tasks.body(SHOP, "v3", false), made()]).toEqual([first, 1]);
    tasks.body(undefined, "v3", false);
    expect([tasks.body(SHOP, "v3", false), made()]).toEqual([first, 2]);
    store.put(ofShop("new"));
    expect(JSON.parse(tasks.body(SHOP, "v3", false)).Containers).toHaveLength(3);
    expect(made()).toBe(3);
    store.remove("new");
    expect([tasks.body(SHOP, "v3", false), made()]).toEqual([first, 4]);
  });

  test("is not made for a description", () => {
    const { tasks, made } = setup();
    tasks.description(SHOP);
    expect(made()).toBe(0);
  });
});

test("a container in no task is called as its own labels say, and by no other's", () => {
  const { tasks } = setup([make("a", { [LABELS.family]: "own" }), alone]);
  const familyOf = (facts: Container) => JSON.parse(tasks.container(facts, "v4")).Labels[LABELS.family];
  expect([familyOf(make("a", { [LABELS.family]: "own" })), familyOf(alone)]).toEqual(["own", "f"]);
  expect(JSON.parse(tasks.body(undefined, "v4", false)).Family).toBe("f");
});

describe("the V4 body of a task", () => {
  const HOUR_MS = 3_600_000;
  const ofV4 = ({ tasks }: ReturnType<typeof setup>) =>
    JSON.parse(tasks.body(SHOP, "v4", false)).Containers.map(({ Name }: { Name: string }) => Name);

  test("lists who stopped behind who runs, for three hours, and then no more", () => {
    const all = setup();
    all.world.nowMs = Date.parse(job.finishedAt ?? "") + 3 * HOUR_MS - 1;
    expect(ofV4(all)).toEqual(["db", "web", "job"]);
    all.world.nowMs += 1;
    expect(ofV4(all)).toEqual(["db", "web"]);
  });
  test("lists no one-off", () => {
    const oneOff = ofShop("run", { "com.docker.compose.oneoff": "True" }, false);
    const all = setup([web, oneOff, ofShop("job2", { "com.docker.compose.oneoff": "False" }, false)]);
    expect(ofV4(all)).toEqual(["web", "job2"]);
  });
  test("lists who was made and not started, for as long", () => {
    const created = { running: false, startedAt: "0001-01-01T00:00:00Z", createdAt: "2026-01-02T04:00:00Z" };
    const next = toContainer(container({ name: "next", labels: { [LABELS.project]: "shop" }, ...created }));
    const all = setup([web, next]);
    expect(ofV4(all)).toEqual(["web", "next"]);
    expect(JSON.parse(all.tasks.body(SHOP, "v4", false))).toMatchObject({ KnownStatus: "RUNNING" });
    all.world.nowMs = Date.parse(created.createdAt) + 3 * HOUR_MS;
    expect(ofV4(all)).toEqual(["web"]);
    const broken = { ...next, error: "no such command" };
    expect(JSON.parse(setup([broken]).tasks.body(SHOP, "v4", false))).toMatchObject({ KnownStatus: "STOPPED" });
    const alone = setup([next]).tasks.body(SHOP, "v4", false);
    expect(JSON.parse(alone)).toMatchObject({ DesiredStatus: "RUNNING", KnownStatus: "CREATED" });
  });
  test("is STOPPED when none runs any more", () => {
    const { tasks } = setup([job]);
    expect(JSON.parse(tasks.body(SHOP, "v4", false))).toMatchObject({
      DesiredStatus: "STOPPED",
      KnownStatus: "STOPPED",
    });
    expect(JSON.parse(tasks.body(SHOP, "v3", false))).toMatchObject({ DesiredStatus: "RUNNING" });
  });
  test("has the machine's limits once they are known", () => {
    const { store, tasks } = setup();
    expect(JSON.parse(tasks.body(SHOP, "v4", false))).not.toHaveProperty("Limits");
    store.setMachine({ cpus: 2, memoryBytes: 1_073_741_824 });
    expect(JSON.parse(tasks.body(SHOP, "v4", false)).Limits).toEqual({ CPU: 2, Memory: 1024 });
    expect(JSON.parse(tasks.body(SHOP, "v3", false))).not.toHaveProperty("Limits");
  });
});

const many = Array.from({ length: 1_200 }, (_, index) =>
  make(`c${index}`, { [LABELS.taskArn]: `arn:${index}`, [LABELS.family]: `family-${index}` }),
);

test("however many tasks there are, each document is made once and the containers are gone through once", () => {
  const { store, bodies } = setup(many);
  let walks = 0;
  const containers = new Map(store.containers);
  containers.values = function () {
    walks += 1;
    return Map.prototype.values.call(this);
  };
  let documents = 0;
  const task: typeof bodies.task = (...given) => {
    documents += 1;
    return bodies.task(...given);
  };
  const tasks = createTasks({
    store: { ...store, containers },
    bodies: { ...bodies, task },
    config,
    now: () => 0,
  });
  for (const each of [...many, ...many]) tasks.body(taskKey(each), "v4", false);
  expect([documents, walks]).toEqual([1_200, 1]);
});

test("nothing is kept of a task whose last container is gone", () => {
  const { store, tasks } = setup([web, alone]);
  const first = tasks.description(SHOP);
  store.remove("web");
  tasks.description(undefined);
  store.put(web);
  expect(tasks.description(SHOP)).toEqual(first);
  expect(tasks.description(SHOP)).not.toBe(first);
});

test("a thousand tasks and more are each described as they are", () => {
  const containers = many;
  const { tasks } = setup(containers);
  for (const each of [...containers, ...containers.slice(0, 10)]) {
    const { taskArn, family } = tasks.description(taskKey(each));
    expect([taskArn, family]).toEqual([each.labels[LABELS.taskArn] ?? "", each.labels[LABELS.family] ?? ""]);
  }
});
