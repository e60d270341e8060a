import { describe, expect, test } from "bun:test";
import { type Container, toContainer } from "../../../src/engine/container.ts";
import { createPicture } from "../../../src/engine/picture.ts";
import { createBodies } from "../../../src/metadata/bodies.ts";
import { LABELS, taskKey } from "../../../src/metadata/task.ts";
import { createTasks } from "../../../src/metadata/tasks.ts";
import { container } from "../../support/containers.ts";

const defaults = { cluster: "c", taskArn: "t", family: "f", revision: "1" };
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
  const picture = createPicture();
  for (const each of containers) picture.put(each);
  const bodies = createBodies({});
  let made = 0;
  const task: typeof bodies.task = (description, members) => {
    made += 1;
    return bodies.task(description, members);
  };
  const tasks = createTasks({ picture, bodies: { ...bodies, task }, defaults });
  return { picture, bodies, tasks, made: () => made };
}

describe("the description of a task", () => {
  test("is what its containers say, and that of another task another", () => {
    const { tasks } = setup();
    expect(tasks.description(SHOP)).toEqual({ ...defaults, family: "web" });
    expect(tasks.description(undefined)).toEqual(defaults);
    expect(tasks.description("project gone")).toEqual(defaults);
  });

  test("is the same object for as long as it says the same", () => {
    const { picture, tasks } = setup();
    const first = tasks.description(SHOP);
    expect(tasks.description(SHOP)).toBe(first);
    for (const change of [
      () => picture.put(make("new")),
      () => picture.put(ofShop("another", { [LABELS.cluster]: "" })),
      () => picture.remove("db"),
      () => picture.put(ofShop("web", { [LABELS.family]: "web", team: "a" })),
      () => picture.setNetworks([]),
    ]) {
      change();
      expect(tasks.description(SHOP)).toBe(first);
    }
  });

  for (const [field, label] of [
    ["cluster", LABELS.cluster],
    ["family", LABELS.family],
    ["revision", LABELS.revision],
  ] as const) {
    test(`follows the picture with its ${field}`, () => {
      const { picture, tasks } = setup();
      const first = tasks.description(SHOP);
      picture.put(ofShop("a-first", { [label]: "new" }));
      expect(tasks.description(SHOP)).toEqual({ ...first, [field]: "new" });
      picture.remove("a-first");
      expect(tasks.description(SHOP)).toEqual(first);
    });
  }
});

test("a member of a project has one document, by its own route and in the machine's task", () => {
  const { tasks } = setup([ofShop("web", { [LABELS.family]: "own" }), alone]);
  const web = JSON.parse(tasks.body(SHOP)).Containers[0];
  expect(JSON.parse(tasks.body(undefined)).Containers).toContainEqual(web);
  expect(web.Labels[LABELS.family]).toBe("own");
});

describe("the body of a task", () => {
  test("is of its running members, by name", () => {
    const { bodies, tasks } = setup();
    const made = (...members: Container[]) => members.map(tasks.container);
    expect(tasks.body(SHOP)).toBe(bodies.task(tasks.description(SHOP), made(db, web)));
    expect(tasks.body(undefined)).toBe(bodies.task(tasks.description(undefined), made(alone, db, web)));
    expect(tasks.body("project gone")).toBe(bodies.task(defaults, []));
  });

  test("is the same whatever the order of the engine", () => {
    const labelled = [ofShop("a", { [LABELS.family]: "a" }), ofShop("b", { [LABELS.family]: "b" }), web];
    expect(setup(labelled).tasks.body(SHOP)).toBe(setup(labelled.toReversed()).tasks.body(SHOP));
  });

  test("is made once, until the picture changes", () => {
    const { picture, tasks, made } = setup();
    const first = tasks.body(SHOP);
    tasks.description(SHOP);
    expect([tasks.body(SHOP), made()]).toEqual([first, 1]);
    tasks.body(undefined);
    expect([tasks.body(SHOP), made()]).toEqual([first, 2]);
    picture.put(ofShop("new"));
    expect(JSON.parse(tasks.body(SHOP)).Containers).toHaveLength(3);
    expect(made()).toBe(3);
    picture.remove("new");
    expect([tasks.body(SHOP), made()]).toEqual([first, 4]);
  });

  test("is not made for a description", () => {
    const { tasks, made } = setup();
    tasks.description(SHOP);
    expect(made()).toBe(0);
  });
});

test("a thousand tasks and more are each described as they are", () => {
  const containers = Array.from({ length: 1_200 }, (_, index) =>
    make(`c${index}`, { [LABELS.taskArn]: `arn:${index}`, [LABELS.family]: `family-${index}` }),
  );
  const { tasks } = setup(containers);
  for (const each of [...containers, ...containers.slice(0, 10)]) {
    const { taskArn, family } = tasks.description(taskKey(each));
    expect([taskArn, family]).toEqual([each.labels[LABELS.taskArn] ?? "", each.labels[LABELS.family] ?? ""]);
  }
});
