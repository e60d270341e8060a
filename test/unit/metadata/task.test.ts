import { describe, expect, test } from "bun:test";
import { type Container, toContainer } from "../../../src/engine/container.ts";
import { describeTask, LABELS, members, recentlyStopped, taskKey } from "../../../src/metadata/task.ts";
import { container } from "../../support/containers.ts";

type Options = Parameters<typeof container>[0];
const make = (options: Options): Container => toContainer(container(options));
const inProject = (project: string, name: string, more: Partial<Options> = {}) =>
  make({ name, labels: { [LABELS.project]: project }, ...more });
const names = (containers: readonly Container[]) => containers.map(({ name }) => name);

describe("a container's task is", () => {
  for (const [title, labels, key] of [
    ["that of its task ARN", { [LABELS.taskArn]: "arn:t" }, "task arn:t"],
    ["its Compose project", { [LABELS.project]: "shop" }, "project shop"],
    [
      "that of its task ARN, not its Compose project",
      { [LABELS.project]: "p", [LABELS.taskArn]: "arn:t" },
      "task arn:t",
    ],
    ["its Compose project where the task ARN is empty", { [LABELS.project]: "p", [LABELS.taskArn]: "" }, "project p"],
    ["none without labels", {}, undefined],
    ["none where the project is empty", { [LABELS.project]: "" }, undefined],
    ["none by its service alone", { [LABELS.service]: "web" }, undefined],
  ] as const) {
    test(title, () => expect(taskKey(make({ name: "x", labels }))).toBe(key));
  }

  test("never that of a project which is named like a task ARN", () => {
    expect(taskKey(inProject("arn:t", "x"))).not.toBe(
      taskKey(make({ name: "x", labels: { [LABELS.taskArn]: "arn:t" } })),
    );
  });
});

describe("the members of a task", () => {
  const machine = [
    inProject("shop", "shop-web-10"),
    make({ name: "alone" }),
    inProject("blog", "blog-web-1"),
    inProject("shop", "shop-job-1", { running: false }),
    inProject("shop", "shop-db-1"),
  ];
  test("are the running ones, by name", () => {
    expect(names(members(machine, "project shop"))).toEqual(["shop-db-1", "shop-web-10"]);
  });
  test("are all running containers of the machine outside of any task", () => {
    expect(names(members(machine, undefined))).toEqual(["alone", "blog-web-1", "shop-db-1", "shop-web-10"]);
  });
  test("are none of a task that is not there", () => expect(members(machine, "project other")).toEqual([]));
  test("are listed without touching the order of what was given", () => {
    members(machine, undefined);
    expect(machine[0]?.name).toBe("shop-web-10");
  });
});

describe("recently stopped", () => {
  const at = Date.parse("2026-01-02T04:00:00.5Z");
  const job = inProject("shop", "shop-job-1", { running: false, finishedAt: "2026-01-02T04:00:00.500000000Z" });
  const stopped = (all: readonly Container[], key: string | undefined, nowMs: number) =>
    names(recentlyStopped(all, key, nowMs, 60_000));

  test("is a member until the time is over", () => {
    expect(stopped([job], "project shop", at + 59_999)).toEqual(["shop-job-1"]);
    expect(stopped([job], "project shop", at + 60_000)).toEqual([]);
  });
  test("is of its own task only, or of the machine's", () => {
    expect(stopped([job], "project blog", at)).toEqual([]);
    expect(stopped([job], undefined, at)).toEqual(["shop-job-1"]);
  });
  test("is no container that runs again", () => {
    const again = inProject("shop", "shop-job-1", { finishedAt: "2026-01-02T04:00:00.5Z" });
    expect(stopped([again], "project shop", at)).toEqual([]);
  });
  test("is no container that never ran", () => {
    const created = inProject("shop", "c", { running: false, startedAt: "0001-01-01T00:00:00Z" });
    expect(stopped([created], "project shop", at)).toEqual([]);
  });
});

describe("a task is described", () => {
  const defaults = { cluster: "c", taskArn: "t", family: "f", revision: "1" };
  for (const [field, label] of [
    ["cluster", LABELS.cluster],
    ["taskArn", LABELS.taskArn],
    ["family", LABELS.family],
    ["revision", LABELS.revision],
  ] as const) {
    test(`with the ${field} of a label, and what it leaves out by configuration`, () => {
      expect(describeTask(make({ name: "x", labels: { [label]: "own" } }), defaults)).toEqual({
        ...defaults,
        [field]: "own",
      });
    });
    test(`with the configured ${field} where the label is empty`, () => {
      expect(describeTask(make({ name: "x", labels: { [label]: "" } }), defaults)).toEqual(defaults);
    });
  }
  test("by configuration alone without a member", () => expect(describeTask(undefined, defaults)).toEqual(defaults));
});
