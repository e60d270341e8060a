import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import type { Sample } from "../../../src/engine/stats-sample.ts";
import { createStats } from "../../../src/metadata/stats.ts";
import { container } from "../../support/containers.ts";

const named = (id: string, running = true) => toContainer(container({ name: id, id, running }));

const COMPLETE: Sample = { complete: true, plain: () => '{"plain":1}', rated: () => '{"rated":1}' };
const FIRST: Sample = { complete: false, plain: () => '{"first":1}', rated: () => '{"first":4}' };

/** Stats over streams that have these samples at hand, and get others in time. */
function setup(atHand: Record<string, Sample> = {}, inTime: Record<string, Sample> = {}) {
  const asked: string[] = [];
  const waited: (readonly [id: string, ms: number])[] = [];
  const stats = createStats({
    latest(id) {
      asked.push(id);
      return atHand[id];
    },
    async wait(id, ms) {
      waited.push([id, ms]);
      return inTime[id];
    },
    close: () => {},
  });
  return { stats, asked, waited };
}

describe("a container's stats", () => {
  for (const [title, version, atHand, inTime, expected] of [
    ["complete", "v3", COMPLETE, undefined, '{"plain":1}'],
    ["complete", "v4", COMPLETE, undefined, '{"rated":1}'],
    ["complete in time", "v3", FIRST, COMPLETE, '{"plain":1}'],
    ["a first one", "v3", FIRST, FIRST, '{"first":1}'],
    ["a first one", "v4", FIRST, COMPLETE, '{"first":4}'],
    ["none", "v3", undefined, undefined, "null"],
    ["none", "v4", undefined, COMPLETE, "{}"],
  ] as const) {
    test(`of ${version} are ${expected} for a sample that is ${title}`, async () => {
      const { stats, waited } = setup(atHand && { a: atHand }, inTime && { a: inTime });
      const answer = stats.container(named("a"), version);
      expect(await answer).toBe(expected);
      const isAtHand = version === "v4" || atHand === COMPLETE;
      expect(typeof answer === "string").toBe(isAtHand);
      expect(waited).toEqual(isAtHand ? [] : [["a", 1_200]]);
    });
  }

  test("are refused for one that does not run, which opens no stream", () => {
    const { stats, asked } = setup();
    for (const version of ["v3", "v4"] as const) {
      expect(() => stats.container(named("a", false), version)).toThrow("Unable to get container stats for: a");
    }
    expect(asked).toEqual([]);
  });
});

describe("a task's stats", () => {
  const running = ["a", "b"].map((id) => named(id));
  const stopped = [named("c", false)];

  test("are at hand when its members' are", () => {
    const { stats, asked } = setup({ a: COMPLETE, b: COMPLETE });
    expect(stats.task(running, stopped, "v3")).toBe('{"a":{"plain":1},"b":{"plain":1},"c":null}');
    expect(stats.task(running, stopped, "v4")).toBe('{"a":{"rated":1},"b":{"rated":1},"c":{}}');
    expect(asked).toEqual(["a", "b", "a", "b"]);
  });

  test("never wait in V4", () => {
    const { stats, waited } = setup({ b: FIRST });
    expect(stats.task(running, stopped, "v4")).toBe('{"a":{},"b":{"first":4},"c":{}}');
    expect(waited).toEqual([]);
  });

  test("wait for all at once in V3, and have null for the one that does not come", async () => {
    const { stats, waited } = setup({}, { b: COMPLETE });
    const answer = stats.task(running, stopped, "v3");
    expect(waited.map(([id]) => id)).toEqual(["a", "b"]);
    expect(await answer).toBe('{"a":null,"b":{"plain":1},"c":null}');
  });

  test("are an empty object for no member", () => {
    expect(setup().stats.task([], [], "v4")).toBe("{}");
  });
});
