import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { createStall, type Stall } from "../../../src/engine/stall.ts";

let nowMs = 0;
let answer = Promise.withResolvers<void>();
let asked = 0;
let stall: Stall;
beforeEach(() => {
  jest.useFakeTimers();
  nowMs = 1_000;
  asked = 0;
  answer = Promise.withResolvers();
  stall = createStall(
    () => nowMs,
    () => {
      asked += 1;
      return answer.promise;
    },
  );
});
afterEach(() => {
  stall.close();
  jest.useRealTimers();
});

/** Time passes in which the process runs. */
function run(ms: number): void {
  for (let passed = 0; passed < ms; passed += 50) {
    nowMs += 50;
    jest.advanceTimersByTime(50);
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

describe("a process that stood still", () => {
  test("does not doubt while it runs", () => {
    run(10_000);
    expect([stall.isDoubtful(), asked]).toEqual([false, 0]);
  });

  test("doubts from its first question on, and asks the engine once", () => {
    run(500);
    nowMs += 400;
    expect([stall.isDoubtful(), stall.isDoubtful(), asked]).toEqual([true, true, 1]);
  });

  test("doubts also where its heart beats before it is asked", () => {
    nowMs += 400;
    run(100);
    expect(stall.isDoubtful()).toBe(true);
  });

  test("believes again when the engine has answered", async () => {
    nowMs += 400;
    expect(stall.isDoubtful()).toBe(true);
    answer.resolve();
    await settle();
    expect(stall.isDoubtful()).toBe(false);
  });

  test("goes on doubting for a second time that it stood still before the answer", async () => {
    nowMs += 400;
    stall.isDoubtful();
    const first = answer;
    answer = Promise.withResolvers();
    nowMs += 400;
    stall.isDoubtful();
    first.resolve();
    await settle();
    expect(stall.isDoubtful()).toBe(true);
    answer.resolve();
    await settle();
    expect(stall.isDoubtful()).toBe(false);
  });

  test("that could not ask leaves the doubt to the contact", async () => {
    nowMs += 400;
    stall.isDoubtful();
    answer.reject(new Error("no contact"));
    await settle();
    expect(stall.isDoubtful()).toBe(false);
  });
});
