import { describe, expect, test } from "bun:test";
import { createProtections } from "../../../src/metadata/task-protection.ts";

function start() {
  const clock = { nowMs: 1_000_000 };
  /** The ids of each task's containers; a task that is not here has none. */
  const machine = new Map<string | undefined, string[]>();
  const protections = createProtections({
    now: () => clock.nowMs,
    idsOf: (key) => machine.get(key) ?? [],
    isPresent: (id) => [...machine.values()].flat().includes(id),
  });
  return { clock, machine, protections };
}

describe("protection", () => {
  test("lasts for its minutes and no millisecond more", () => {
    const { clock, protections } = start();
    protections.protect("project shop", 2);
    clock.nowMs += 119_999;
    expect(protections.until("project shop")).toBe(1_120_000);
    clock.nowMs += 1;
    expect(protections.until("project shop")).toBeUndefined();
    // A clock that is set back does not bring it back.
    clock.nowMs -= 60_000;
    expect(protections.until("project shop")).toBeUndefined();
  });

  test("is each task's own, that of the machine's too", () => {
    const { protections } = start();
    protections.protect(undefined, 1);
    protections.protect("project shop", 2);
    protections.release("project shop");
    expect([undefined, "project shop", "project blog"].map(protections.until)).toEqual([
      1_060_000,
      undefined,
      undefined,
    ]);
  });

  test("set again counts from then, longer or shorter", () => {
    const { clock, protections } = start();
    protections.protect("task a", 10);
    clock.nowMs += 60_000;
    protections.protect("task a", 1);
    expect(protections.until("task a")).toBe(1_120_000);
  });

  test("ends with the last of the containers that the task had, and is not that of a task made anew", () => {
    const { machine, protections } = start();
    machine.set("project shop", ["web", "db"]);
    protections.protect("project shop", 100);
    machine.set("project shop", ["db", "new"]);
    expect(protections.until("project shop")).toBeNumber();
    machine.set("project shop", ["new"]);
    expect(protections.until("project shop")).toBeUndefined();
    protections.protect("project shop", 100);
    machine.delete("project shop");
    machine.set("project blog", ["web"]);
    expect(protections.until("project shop")).toBeUndefined();
  });

  test("of the machine's task needs no container", () => {
    const { machine, protections } = start();
    protections.protect(undefined, 1);
    machine.set(undefined, ["tool"]);
    expect(protections.until(undefined)).toBeNumber();
  });

  test("of a task that is gone is forgotten before that of one that is there", () => {
    const { machine, protections } = start();
    for (let index = 0; index < 1_000; index += 1) {
      machine.set(`task ${index}`, [`id ${index}`]);
      protections.protect(`task ${index}`, 100);
    }
    machine.delete("task 7");
    protections.protect("one more", 100);
    expect(["task 0", "task 7", "one more"].map((key) => protections.until(key) !== undefined)).toEqual([
      true,
      false,
      true,
    ]);
  });

  test("is kept for a thousand tasks: of more, what has ended goes first and then the oldest", () => {
    const { clock, protections } = start();
    for (let index = 0; index < 1_000; index += 1) protections.protect(`task ${index}`, index === 500 ? 1 : 100);
    clock.nowMs += 60_000;
    protections.protect("task 0", 100);
    protections.protect("one more", 100);
    expect(["task 0", "task 1", "task 999", "one more"].map((key) => protections.until(key) !== undefined)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    protections.protect("two more", 100);
    expect(["task 0", "task 1", "task 2", "two more"].map((key) => protections.until(key) !== undefined)).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });
});
