import { describe, expect, test } from "bun:test";
import { toHealth } from "../../../src/engine/health.ts";
import type { Inspect } from "../../../src/engine/schema.ts";
import { container } from "../../support/containers.ts";

/** Checks that ended at the seconds 1, 2, 3 and so on, by their exit codes. The output is the second. */
const checks = (...codes: number[]) =>
  codes.map((ExitCode, index) => ({
    End: `2026-01-02T03:04:0${index + 1}.500000000Z`,
    ExitCode,
    Output: `t${index + 1}`,
  }));
const at = (second: number) => ({ since: `2026-01-02T03:04:0${second}.5Z`, output: `t${second}` });
const NOTHING = { status: undefined, since: undefined, exitCode: 0, output: "" };

type Health = Inspect["State"]["Health"];
function healthOf(health: Health, check: Inspect["Config"]["Healthcheck"] = { Test: ["CMD", "true"], Retries: 3 }) {
  const { State, Config, ...document } = container({ name: "web" });
  return toHealth({ ...document, State: { ...State, Health: health }, Config: { ...Config, Healthcheck: check } });
}

describe("healthy is since", () => {
  for (const [title, retries, codes, second] of [
    ["the oldest success in the log", 3, [0, 0, 0], 1],
    ["before a failure that did not make it unhealthy", 3, [0, 0, 1], 1],
    ["before failures that were too few in a row", 3, [0, 1, 1, 0, 1], 1],
    ["the first success after failures that made it unhealthy", 3, [1, 1, 1, 0, 0], 4],
    ["the first success after more of them than that takes", 3, [1, 1, 1, 1, 0], 5],
    ["no success before failures that made it unhealthy", 3, [0, 1, 137, 2, 0], 5],
    ["the oldest success where the failures before it are too few", 3, [1, 1, 0, 0, 0], 3],
    ["the success after as many failures as the check takes", 2, [0, 1, 1, 0, 0], 4],
    ["the success after one failure where the check takes no more", 1, [0, 1, 0], 3],
    ["the oldest known where the log has failures only", 10, [1, 1], 1],
    ["before two failures where the check names no number", undefined, [0, 1, 1, 0], 1],
    ["after three failures where the check names no number", null, [0, 1, 1, 1, 0], 5],
    ["after three failures where the check's number is 0", 0, [0, 1, 1, 1, 0], 5],
  ] as const) {
    test(title, () => {
      const health = healthOf(
        { Status: "healthy", Log: checks(...codes) },
        { Test: ["CMD", "true"], Retries: retries },
      );
      expect(health).toEqual({ status: "HEALTHY", exitCode: 0, ...at(second) });
    });
  }
});

describe("unhealthy is since", () => {
  for (const [title, retries, streak, codes, second] of [
    ["the failure that was one too many", 3, 3, [0, 0, 3, 4, 5], 5],
    ["that failure, whatever came after", 3, 4, [0, 2, 3, 4, 5], 4],
    ["the third failure of five", 3, 5, [1, 2, 3, 4, 5], 3],
    ["the second in the log where the first is older", 3, 6, [1, 2, 3, 4, 5], 2],
    ["the oldest in the log where the streak is as long as it shows", 3, 7, [1, 2, 3, 4, 5], 1],
    ["the oldest in the log where the streak is longer", 3, 900, [1, 2, 3, 4, 5], 1],
    ["the first failure where the check takes no more", 1, 2, [0, 2, 3], 2],
    ["the third failure where the check names no number", undefined, 4, [1, 2, 3, 4], 3],
    ["the third failure where the check's number is 0", 0, 4, [1, 2, 3, 4], 3],
    ["the third failure where the engine tells no streak", 3, undefined, [1, 2, 3, 4, 5], 3],
    ["the third failure in a row where the engine tells no streak", 3, undefined, [0, 0, 3, 4, 5], 5],
    ["the third failure where the streak is null", 3, null, [1, 2, 3, 4, 5], 3],
    ["the last failure where more are asked for than there were", 5, 1, [1, 2], 2],
  ] as const) {
    test(`${title}, with its exit code`, () => {
      const health = { Status: "unhealthy", FailingStreak: streak, Log: checks(...codes) };
      const exitCode = codes[second - 1] ?? 0;
      expect(healthOf(health, { Test: ["CMD", "true"], Retries: retries })).toEqual({
        status: "UNHEALTHY",
        exitCode,
        ...at(second),
      });
    });
  }
});

describe("health says", () => {
  for (const [title, health, expected] of [
    ["its status alone without checks", { Status: "healthy", Log: [] }, { ...NOTHING, status: "HEALTHY" }],
    ["its status alone without a log", { Status: "unhealthy", Log: null }, { ...NOTHING, status: "UNHEALTHY" }],
    ["nothing while it starts", { Status: "starting", FailingStreak: 1, Log: checks(1) }, NOTHING],
    ["nothing of a status that is none", { Status: "none" }, NOTHING],
    ["nothing where the state has none yet", null, NOTHING],
    ["nothing where the state leaves it out", undefined, NOTHING],
  ] as const) {
    test(title, () => expect(healthOf(health as Health)).toEqual(expected));
  }
  test("its time in UTC where the engine writes local time", () => {
    const Log = [{ End: "2026-01-02T00:30:00.12+01:00", ExitCode: 0, Output: "" }];
    expect(healthOf({ Status: "healthy", Log })?.since).toBe("2026-01-01T23:30:00.12Z");
  });
  test("what a check leaves out as nothing", () => {
    const health = { Status: "unhealthy", FailingStreak: 1, Log: [{}] };
    expect(healthOf(health)).toEqual({ ...NOTHING, status: "UNHEALTHY" });
  });
});

describe("health is absent", () => {
  for (const [title, check] of [
    ["for a check of NONE", { Test: ["NONE"] }],
    ["for a check of nothing", { Test: [] }],
    ["for a check without a test", { Retries: 3 }],
    ["without a check, whatever the state says", null],
  ] as const) {
    test(title, () => {
      const health = { Status: "healthy", Log: checks(0) };
      expect(healthOf(health, check as Inspect["Config"]["Healthcheck"])).toBeUndefined();
    });
  }
});
