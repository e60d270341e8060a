import { describe, expect, test } from "bun:test";
import { createProtections } from "../../../src/metadata/protections.ts";

function start() {
  const clock = { nowMs: 1_000_000 };
  return { clock, protections: createProtections(() => clock.nowMs) };
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
