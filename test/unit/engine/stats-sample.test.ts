import { describe, expect, test } from "bun:test";
import { createSampler, type Frame } from "../../../src/engine/stats-sample.ts";

/** Frames of one container, as a sampler makes samples of them. */
function sampler() {
  const sampleOf = createSampler(() => ({ id: "a", name: "box" }));
  return (line: string) => sampleOf(line, JSON.parse(line) as Frame);
}

/** @param interfaces what each has received and sent; none at all where there is no network */
function frame(read: string | undefined, ...interfaces: (readonly [rx: bigint | number, tx: bigint | number])[]) {
  const rest = ["packets", "errors", "dropped"].flatMap((what) => [`"rx_${what}":0`, `"tx_${what}":0`]);
  const networks = interfaces.map(
    ([rx, tx], index) => `"eth${index}":{"rx_bytes":${rx},"tx_bytes":${tx},${rest.join(",")}}`,
  );
  const time = read === undefined ? "" : `"read":"${read}",`;
  const counted = networks.length > 0 ? `,"networks":{${networks.join(",")}}` : "";
  return `{"id":"a","name":"/box",${time}"precpu_stats":{"system_cpu_usage":1}${counted}}`;
}

const at = (seconds: number, fraction = "0") => `2026-01-02T03:04:${String(seconds).padStart(2, "0")}.${fraction}Z`;

/** The rates that the last of these frames is answered with. */
function ratesOf(...frames: string[]): readonly [rx: number, tx: number] | undefined {
  const take = sampler();
  const rates = frames.map((line) => JSON.parse(take(line).rated()).network_rate_stats).at(-1);
  return rates && [rates.rx_bytes_per_sec, rates.tx_bytes_per_sec];
}

const MAX = 18_446_744_073_709_551_615n;

describe("rates", () => {
  for (const [title, frames, expected] of [
    ["are those of a second", [frame(at(0), [100, 10]), frame(at(1), [150, 40])], [50, 30]],
    ["are those of the two latest", [frame(at(0), [0, 0]), frame(at(1), [9, 9]), frame(at(3), [19, 9])], [5, 0]],
    ["are of all interfaces", [frame(at(0), [1, 2], [10, 20]), frame(at(1), [2, 4], [30, 60])], [21, 42]],
    ["heed nanoseconds", [frame(at(0, "999999999"), [0, 0]), frame(at(1, "000000001"), [1, 2])], [5e8, 1e9]],
    ["heed digits past 2^53", [frame(at(0), [MAX - 3n, MAX]), frame(at(1), [MAX, MAX])], [3, 0]],
    ["heed sums past 2^64", [frame(at(0), [MAX, 0], [MAX - 1n, 0]), frame(at(1), [MAX, 0], [MAX, 0])], [1, 0]],
    ["are 0 where a counter goes back", [frame(at(0), [50, 5]), frame(at(1), [40, 6])], [0, 1]],
    ["count an interface that is new", [frame(at(0), [5, 5]), frame(at(1), [5, 5], [7, 8])], [7, 8]],
    [
      "stay as they were for the same time twice",
      [frame(at(0), [0, 0]), frame(at(1), [10, 20]), frame(at(1), [99, 99])],
      [10, 20],
    ],
    [
      "go on behind the same time twice",
      [frame(at(0), [0, 0]), frame(at(1), [10, 20]), frame(at(1), [20, 30]), frame(at(2), [25, 36])],
      [5, 6],
    ],
    [
      "stay as they were for a clock that is set back",
      [frame(at(5), [0, 0]), frame(at(6), [10, 20]), frame(at(2), [30, 30])],
      [10, 20],
    ],
    [
      "go on from a clock that was set back",
      [frame(at(5), [0, 0]), frame(at(6), [10, 20]), frame(at(2), [30, 30]), frame(at(3), [34, 35])],
      [4, 5],
    ],
    ["are in local time too", [frame(at(0), [0, 0]), frame("2026-01-02T05:04:02.0+02:00", [10, 20])], [5, 10]],
  ] as const) {
    test(title, () => {
      expect(ratesOf(...frames)).toEqual(expected);
    });
  }

  for (const [title, frames] of [
    ["with one sample", [frame(at(0), [1, 1])]],
    ["with one time", [frame(at(0), [1, 1]), frame(at(0), [2, 2])]],
    ["without networks", [frame(at(0)), frame(at(1))]],
    ["when the networks are gone", [frame(at(0), [1, 1]), frame(at(1), [2, 2]), frame(at(2))]],
    ["when the networks are gone at the same time", [frame(at(0), [1, 1]), frame(at(1), [2, 2]), frame(at(1))]],
    ["when the networks are new", [frame(at(0)), frame(at(1), [2, 2])]],
    ["without times", [frame(undefined, [1, 1]), frame(undefined, [2, 2])]],
    ["with an earlier one that has no time", [frame("yesterday", [1, 1]), frame(at(1), [2, 2])]],
    ["with a later one that has no time", [frame(at(1), [1, 1]), frame("tomorrow", [2, 2])]],
  ] as const) {
    test(`are absent ${title}`, () => {
      expect(ratesOf(...frames)).toBeUndefined();
    });
  }
});

describe("a sample", () => {
  test("is the engine's text, and that with the rates behind it", () => {
    const take = sampler();
    take(frame(at(0), [MAX, 0]));
    const text = frame(at(1), [MAX, 7]).replaceAll(":{", " : { ");
    const { plain, rated } = take(text);
    expect(plain()).toBe(text);
    expect(rated()).toBe(`${text.slice(0, -1)},"network_rate_stats":{"rx_bytes_per_sec":0,"tx_bytes_per_sec":7}}`);
  });

  test("keeps its rates when a later one has come", () => {
    const take = sampler();
    take(frame(at(0), [0, 0]));
    const second = take(frame(at(1), [10, 20]));
    take(frame(at(2), [99, 99]));
    expect(JSON.parse(second.rated()).network_rate_stats).toEqual({ rx_bytes_per_sec: 10, tx_bytes_per_sec: 20 });
  });

  test("is edited when it is asked for, once", () => {
    let edits = 0;
    const sampleOf = createSampler(() => {
      edits += 1;
      return { id: "a", name: "box" };
    });
    const lines = [at(0), at(1), at(2)].map((read) => `{"read":"${read}","networks":{},"precpu_stats":{}}`);
    const samples = lines.map((line) => sampleOf(line, JSON.parse(line) as Frame));
    expect(edits).toBe(0);
    const last = samples.at(-1);
    const texts = new Set([last?.plain(), last?.plain(), last?.rated(), last?.rated()]);
    // The two latest: rates need the traffic of the one before.
    expect([texts.size, edits]).toEqual([2, 2]);
  });

  for (const [title, precpu, complete] of [
    [
      "is none with zeros before it, as the first of a stream",
      '{"cpu_usage":{"total_usage":0},"system_cpu_usage":0}',
      false,
    ],
    ["is one with the machine's time", '{"cpu_usage":{"total_usage":0},"system_cpu_usage":5}', true],
    ["is one with its own time alone, as on Windows", '{"cpu_usage":{"total_usage":5}}', true],
    ["is none with its own time still 0", '{"cpu_usage":{"total_usage":0}}', false],
    ["is none where there is null", "null", false],
    ["is none where there is null for its own time", '{"cpu_usage":null}', false],
  ] as const) {
    test(`with an earlier reading ${title}`, () => {
      expect(sampler()(`{"precpu_stats":${precpu}}`).complete).toBe(complete);
    });
  }

  test("that is nested deeper than can be edited is answered as it came", () => {
    const deep = `{"precpu_stats":{},"deep":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    const { plain, rated } = sampler()(deep);
    expect([plain() === deep, rated() === deep]).toEqual([true, true]);
  });
});
