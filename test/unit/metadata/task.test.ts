import { describe, expect, test } from "bun:test";
import fc from "fast-check";
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
  test("is not a container that runs again", () => {
    const again = inProject("shop", "shop-job-1", { finishedAt: "2026-01-02T04:00:00.5Z" });
    expect(stopped([again], "project shop", at)).toEqual([]);
  });
  test("is not a container that never ran", () => {
    const created = inProject("shop", "c", { running: false, startedAt: "0001-01-01T00:00:00Z" });
    expect(stopped([created], "project shop", at)).toEqual([]);
  });
});

describe("a task is described", () => {
  const config = { cluster: "c", taskArn: "t", family: "f", revision: "1" };
  const unsaid = { availabilityZone: undefined, machine: undefined };
  const defaults = { ...config, ...unsaid, launchType: "EC2" };
  const arn = { [LABELS.taskArn]: "arn:t" };
  const ofTask = (name: string, labels: Record<string, string>, running = true) =>
    make({ name, labels: { ...arn, ...labels }, running });

  for (const [field, label] of [
    ["cluster", LABELS.cluster],
    ["family", LABELS.family],
    ["revision", LABELS.revision],
  ] as const) {
    test(`with the ${field} of a label, and what it leaves out by configuration`, () => {
      const described = describeTask([ofTask("x", { [label]: "own" })], "task arn:t", config, undefined);
      expect(described).toEqual({ ...defaults, taskArn: "arn:t", [field]: "own" });
    });
    test(`with the configured ${field} where the label is empty`, () => {
      const described = describeTask([ofTask("x", { [label]: "" })], "task arn:t", config, undefined);
      expect(described).toEqual({ ...defaults, taskArn: "arn:t" });
    });
  }
  test("by configuration alone where it has no container", () => {
    const other = [inProject("shop", "shop-web-1", { labels: { [LABELS.project]: "shop", [LABELS.family]: "own" } })];
    for (const all of [[], other]) {
      expect(describeTask(all, "project blog", config, undefined)).toEqual(defaults);
      expect(describeTask(all, undefined, config, undefined)).toEqual(defaults);
    }
  });
  test("by none of its containers where it is the machine's and they differ", () => {
    const labelled = make({ name: "a", labels: { [LABELS.family]: "own", [LABELS.cluster]: "same" } });
    const other = make({ name: "b", labels: { [LABELS.cluster]: "same" } });
    const described = describeTask([labelled, other], undefined, config, undefined);
    expect([described.family, described.cluster]).toEqual(["f", "same"]);
  });
  test("by the containers of none where it is the machine's", () => {
    const all = [ofTask("a", { [LABELS.family]: "other" }), make({ name: "b", labels: { [LABELS.family]: "own" } })];
    expect(describeTask(all, undefined, config, undefined)).toEqual({ ...defaults, family: "own" });
  });

  const members = [
    ofTask("a-stopped", { [LABELS.family]: "stopped", [LABELS.cluster]: "stopped" }, false),
    ofTask("b", { [LABELS.family]: "" }),
    ofTask("c", { [LABELS.family]: "first", [LABELS.revision]: "1" }),
    ofTask("d", { [LABELS.family]: "second", [LABELS.revision]: "2" }),
  ];
  test("by the first of its members that says, running ones first, whatever the order of the engine", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(members, { minLength: members.length }), (shuffled) => {
        const expected = { ...defaults, cluster: "stopped", taskArn: "arn:t", family: "first", revision: "1" };
        expect(describeTask(shuffled, "task arn:t", { ...config, revision: "9" }, undefined)).toEqual(expected);
      }),
    );
  });

  test("with the first zone of its region where none is configured", () => {
    const ofRegion = { ...config, taskArn: "arn:aws-cn:ecs:cn-north-1:1:task/c/t" };
    expect(describeTask([], undefined, ofRegion, undefined).availabilityZone).toBe("cn-north-1a");
    expect(describeTask([], undefined, { ...ofRegion, availabilityZone: "z" }, undefined).availabilityZone).toBe("z");
  });
  test("with what is configured of it, and the machine that it runs on", () => {
    const configured = { ...config, availabilityZone: "z", cpu: 0.25, memoryMiB: 512, launchType: "FARGATE" };
    const machine = { cpus: 4, memoryBytes: 1 };
    expect(describeTask([], undefined, configured, machine)).toEqual({ ...configured, machine });
  });
});
