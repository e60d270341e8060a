import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import { container } from "../../support/containers.ts";

const result = (second: number, ExitCode: number, Output = "") => ({
  Start: "2026-01-02T03:04:00Z",
  End: `2026-01-02T03:04:${String(second).padStart(2, "0")}.500000000Z`,
  ExitCode,
  Output,
});
const healthOf = (health: NonNullable<Parameters<typeof container>[0]["health"]>) =>
  toContainer(container({ name: "web", health })).health;

describe("health", () => {
  for (const [title, health, expected] of [
    [
      "lasts since the first success after a failure",
      { status: "healthy", log: [result(1, 0), result(2, 1), result(3, 0), result(4, 0, "ok")] },
      { status: "HEALTHY", since: "2026-01-02T03:04:03.5Z", exitCode: 0, output: "ok" },
    ],
    [
      "lasts since the first failure after a success, whatever its code",
      { status: "unhealthy", log: [result(1, 0), result(2, 1), result(3, 137), result(4, 2, "no")] },
      { status: "UNHEALTHY", since: "2026-01-02T03:04:02.5Z", exitCode: 2, output: "no" },
    ],
    [
      "lasts since the oldest result that is known",
      { status: "healthy", log: [result(1, 0), result(2, 0)] },
      { status: "HEALTHY", since: "2026-01-02T03:04:01.5Z", exitCode: 0, output: "" },
    ],
    [
      "has its status alone without results",
      { status: "healthy" },
      { status: "HEALTHY", since: undefined, exitCode: 0, output: "" },
    ],
    [
      "says nothing while it starts",
      { status: "starting", log: [result(1, 1, "not yet")] },
      { status: undefined, since: undefined, exitCode: 0, output: "" },
    ],
    [
      "says nothing of a status that is none",
      { status: "none" },
      { status: undefined, since: undefined, exitCode: 0, output: "" },
    ],
  ] as const) {
    test(title, () => expect(healthOf({ ...health, log: [...("log" in health ? health.log : [])] })).toEqual(expected));
  }

  test("has its time in UTC where the engine writes local time", () => {
    const log = [{ ...result(1, 0), End: "2026-01-02T00:30:00.12+01:00" }];
    expect(healthOf({ status: "healthy", log })?.since).toBe("2026-01-01T23:30:00.12Z");
  });

  for (const test_ of [["NONE"], []]) {
    test(`is absent for a check of [${test_}]`, () => {
      expect(healthOf({ test: test_, status: "healthy", log: [result(1, 0)] })).toBeUndefined();
    });
  }

  test("is absent without a check, whatever the state says", () => {
    const document = container({ name: "web", health: { status: "healthy" } });
    const { Healthcheck: _, ...Config } = document.Config;
    expect(toContainer({ ...document, Config }).health).toBeUndefined();
  });
  test("says nothing where the state has none yet", () => {
    const document = container({ name: "web", health: { status: "healthy" } });
    const { Health: _, ...State } = document.State;
    expect(toContainer({ ...document, State }).health).toEqual({
      status: undefined,
      since: undefined,
      exitCode: 0,
      output: "",
    });
  });
});
