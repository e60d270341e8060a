import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Credentials } from "../../../src/aws/types.ts";
import { AppError } from "../../../src/errors.ts";
import { createWorld, HOUR, MINUTE, roleRequest, SECOND, settle } from "./vendor-world.ts";

type Step =
  | { readonly kind: "ask"; readonly role: number }
  | { readonly kind: "pass" | "sleep" | "jump"; readonly ms: number }
  | { readonly kind: "down" | "up" | "login" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("ask" as const), role: fc.nat(2) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("pass" as const),
      ms: fc.oneof(fc.integer({ min: 1, max: 6 * SECOND }), fc.integer({ min: MINUTE, max: 2 * HOUR })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("sleep" as const), ms: fc.integer({ min: MINUTE, max: 9 * HOUR }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("jump" as const),
      ms: fc.integer({ min: -9 * HOUR, max: 9 * HOUR }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("down" as const, "up" as const, "login" as const) }) },
);
const lives = fc.constantFrom(15 * MINUTE, 30 * MINUTE, HOUR, 12 * HOUR);

/**
 * With a right clock nothing expired is returned, there is no error while credentials are valid, a role is fetched at most
 * once in 5 s, and credentials that are returned while AWS answers have enough time left.
 */
test("any order of requests, outages, logins, sleeps and set clocks keeps the rules", async () => {
  await fc.assert(
    fc.asyncProperty(lives, fc.array(step, { minLength: 5, maxLength: 60 }), async (lifeMs, steps) => {
      const { world, ask } = createWorld({ lifeMs });
      const last = new Map<string, { set: Credentials; at: number }>();
      let isClockRight = true;
      for (const now of steps) {
        if (now.kind === "pass") world.pass(now.ms);
        else if (now.kind === "sleep") world.sleep(now.ms);
        else if (now.kind === "jump") {
          world.wallAheadMs += now.ms;
          isClockRight = world.wallAheadMs === 0;
        } else if (now.kind === "login") {
          world.version += "+";
          last.clear();
          world.calls.clear();
        } else if (now.kind !== "ask") world.isDown = now.kind === "down";
        else {
          const name = `role-${now.role}`;
          const got = await ask(roleRequest(name));
          await settle();
          const before = last.get(name);
          if (got instanceof AppError) {
            const wall = world.truth + world.wallAheadMs;
            const isValid = before !== undefined && before.set.expiration > Math.max(world.truth, wall);
            expect(isValid, `an error, although ${name} is valid`).toBe(false);
            continue;
          }
          const leftMs = got.expiration - world.truth;
          if (isClockRight) expect(leftMs, "expired").toBeGreaterThan(0);
          if (!world.isDown && isClockRight) {
            const calls = world.calls.get(name) ?? [];
            const recently = calls.some((call) => world.truth - world.sleptMs - call.monotonic < 5 * SECOND);
            const enough = lifeMs <= 30 * MINUTE ? lifeMs / 4 : 15 * MINUTE;
            if (!recently) expect(leftMs, "too little left").toBeGreaterThan(enough);
          }
          if (before?.set !== got) last.set(name, { set: got, at: world.truth });
        }
        // What a clock that was set made worthless may be fetched anew at once, also where it makes a set live for seconds.
        if (world.wallAheadMs > lifeMs - 5 * SECOND) continue;
        for (const calls of world.calls.values()) {
          for (const [index, call] of calls.entries()) {
            const former = calls[index - 1];
            if (former?.clocks !== call.clocks) continue;
            expect(call.monotonic - former.monotonic, "asked too early").toBeGreaterThanOrEqual(5 * SECOND);
          }
        }
      }
    }),
    { numRuns: 500 },
  );
});
