import { describe, expect, test } from "bun:test";
import { checkIdentity } from "../../../../src/commands/doctor/identity.ts";
import { AppError } from "../../../../src/errors.ts";

const NOW = Date.parse("2026-01-02T03:00:00Z");
const arn = "arn:aws:iam::111122223333:user/dev";
const origin = "profile 'dev'";

describe("the identity", () => {
  for (const [minutes, state] of [
    [60, "ok"],
    [14, "warning"],
    [-1, "problem"],
  ] as const) {
    test(`that ends in ${minutes} minutes is ${state}, with who and when`, async () => {
      const expiration = NOW + minutes * 60_000;
      const found = await checkIdentity(false, async () => ({ arn, origin, expiration }), NOW);
      expect(found.state).toBe(state);
      expect(found.message).toContain(`${arn} by ${origin}`);
      expect(found.message).toContain(new Date(expiration).toISOString());
      expect(found.remedy !== undefined).toBe(state !== "ok");
    });
  }
  test("without an end says so", async () => {
    const found = await checkIdentity(false, async () => ({ arn, origin }), NOW);
    expect(found).toEqual({
      check: "identity",
      state: "ok",
      message: `${arn} by ${origin}, without an end of its own`,
    });
  });
  test("that AWS does not accept is a problem with its remedy", async () => {
    const failure = new AppError("identity-failed", "refused", { hint: "renew it" });
    for (const whoami of [async () => ({ origin, failure }), () => Promise.reject(failure)]) {
      const found = await checkIdentity(false, whoami, NOW);
      expect(found).toEqual({ check: "identity", state: "problem", message: "refused", remedy: "renew it" });
    }
  });
  test("offline has no identity, and makes no call", async () => {
    const found = await checkIdentity(true, () => Promise.reject(new Error("asked")), NOW);
    expect(found).toMatchObject({ state: "ok", message: expect.stringContaining("offline") });
  });
});
