import { describe, expect, test } from "bun:test";
import { toNanoseconds, toTime } from "../../../src/engine/time.ts";

describe("a time", () => {
  for (const [given, expected] of [
    ["2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456789Z"],
    ["2026-01-02T03:04:05.120000000Z", "2026-01-02T03:04:05.12Z"],
    ["2026-01-02T03:04:05.000000000Z", "2026-01-02T03:04:05Z"],
    ["2026-01-02T03:04:05.000000001Z", "2026-01-02T03:04:05.000000001Z"],
    ["2026-01-02T03:04:50Z", "2026-01-02T03:04:50Z"],
    ["2026-01-02T03:04:05.1234567891Z", "2026-01-02T03:04:05.123456789Z"],
    ["2026-01-02T03:04:05.123456789+02:00", "2026-01-02T01:04:05.123456789Z"],
    ["2026-01-02T03:04:05.5+00:00", "2026-01-02T03:04:05.5Z"],
    ["2026-01-01T00:30:00.5+01:00", "2025-12-31T23:30:00.5Z"],
    ["2025-12-31T23:59:59.999999999-05:30", "2026-01-01T05:29:59.999999999Z"],
    ["2024-03-01T00:00:00+00:01", "2024-02-29T23:59:00Z"],
    ["0001-01-01T00:00:00Z", undefined],
    ["0001-01-01T00:00:00.000000000+00:00", undefined],
    ["2026-13-45T00:00:00+02:00", undefined],
    ["2026-13-45T00:00:00Z", undefined],
    ["2026-01-02T25:00:00.5Z", undefined],
    ["2026-01-02T03:04:05+99:99", undefined],
    ["", undefined],
    ["yesterday", undefined],
    ["2026-01-02", undefined],
    ["2026-01-02T03:04:05", undefined],
    [null, undefined],
    [undefined, undefined],
  ] as const) {
    test(`${given === "" ? "of no text" : given} is ${expected ?? "absent"}`, () => {
      expect(toTime(given)).toBe(expected);
    });
  }
});

describe("in nanoseconds", () => {
  for (const [given, expected] of [
    ["1970-01-01T00:00:00.000000001Z", 1n],
    ["1970-01-01T00:00:01.5Z", 1_500_000_000n],
    ["1970-01-01T02:00:00+02:00", 0n],
    ["2026-01-02T03:04:05.123456789Z", 1_767_323_045_123_456_789n],
    ["0001-01-01T00:00:00Z", undefined],
    ["yesterday", undefined],
    [undefined, undefined],
  ] as const) {
    test(`${given} is ${expected ?? "absent"}`, () => {
      expect(toNanoseconds(given)).toBe(expected);
    });
  }
});
