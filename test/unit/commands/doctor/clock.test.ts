import { describe, expect, test } from "bun:test";
import { checkClock } from "../../../../src/commands/doctor/identity.ts";
import { AppError } from "../../../../src/errors.ts";

describe("the clock", () => {
  for (const [skewMs, state, text] of [
    [900, "ok", "agrees"],
    [-20_000, "ok", "20 s ahead of"],
    [40_000, "warning", "40 s behind"],
    [-299_000, "warning", "299 s ahead of"],
    [300_000, "problem", "300 s behind"],
  ] as const) {
    test(`${skewMs} ms off is ${state}`, async () => {
      const found = await checkClock(false, async () => skewMs);
      expect(found).toMatchObject({ state, message: expect.stringContaining(text) });
      expect(found.remedy?.includes("set-ntp") ?? false).toBe(state !== "ok");
    });
  }
  test("that cannot be compared is a warning", async () => {
    expect(await checkClock(false, async () => undefined)).toMatchObject({ state: "warning" });
    const error = new AppError("upstream-unavailable", "no route", { hint: "check the network" });
    const found = await checkClock(false, () => Promise.reject(error));
    expect(found).toMatchObject({ state: "warning", message: "no route", remedy: "check the network" });
  });
  test("is not compared offline", async () => {
    expect(await checkClock(true, () => Promise.reject(new Error("asked")))).toMatchObject({ state: "ok" });
  });
});
