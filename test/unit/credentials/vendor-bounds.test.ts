import { heapStats } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/errors.ts";
import { createWorld, MINUTE, roleRequest, SECOND, settle } from "./vendor-world.ts";

const ROLES = 10_000;

async function heapBytes(): Promise<number> {
  Bun.gc(true);
  await Bun.sleep(10);
  Bun.gc(true);
  return heapStats().heapSize;
}

describe("ten thousand different roles", () => {
  for (const isDown of [false, true]) {
    test(`${isDown ? "that all fail" : "that all work"} do not grow memory without end`, async () => {
      const { world, ask } = createWorld();
      world.isDown = isDown;
      const askAll = async (series: string): Promise<void> => {
        for (let role = 0; role < ROLES; role += 1) await ask(roleRequest(`${series}-${"n".repeat(40)}-${role}`));
        world.calls.clear();
      };
      await askAll("first");
      const before = await heapBytes();
      await askAll("second");
      await askAll("third");
      expect((await heapBytes()) - before).toBeLessThan(2 * 1024 * 1024);
    });
  }
  test("at once are a bounded number of calls, and the others are told to retry", async () => {
    const { world, ask } = createWorld();
    const answers = await Promise.all(Array.from({ length: ROLES }, (_, role) => ask(roleRequest(`r${role}`))));
    const refused = answers.filter((answer) => answer instanceof AppError);
    expect(world.calls.size).toBe(1016);
    expect(new Set(refused.map(({ code, hint }) => `${code} ${hint}`))).toEqual(
      new Set(["upstream-unavailable retry"]),
    );
  });
  test("that do not exist push out none that does", async () => {
    const { world, ask } = createWorld();
    const mine = await ask(roleRequest("mine"));
    world.isDown = true;
    for (let role = 0; role < ROLES; role += 1) await ask(roleRequest(`r${role}`));
    expect(await ask(roleRequest("mine"))).toBe(mine);
  });
});

test("a fetch that never ends is given up, and the next request starts another", async () => {
  const { createVendor } = await import("../../../src/credentials/vendor.ts");
  const quiet = () => {};
  let calls = 0;
  const hang = (): Promise<never> => {
    calls += 1;
    return new Promise(() => {});
  };
  const source = { fingerprint: () => "", session: hang, assume: hang, warm: async () => {} };
  const log = { debug: quiet, info: quiet, warning: quiet, error: quiet, flush: quiet };
  let at = 0;
  const vendor = createVendor({ source, now: () => at, log, coldWaitMs: 5, fetchMs: 20, upstreamMax: 1 });
  const ask = async () => vendor.vend({ kind: "session" });
  await expect(ask()).rejects.toThrow("still fetching");
  await Bun.sleep(40);
  await expect(ask()).rejects.toThrow("did not come within 0.02 s");
  at += 5 * SECOND;
  await expect(ask()).rejects.toThrow("still fetching");
  expect(calls).toBe(2);
});

test("a machine that slept longer than a set lives fetches anew, and hands out nothing old", async () => {
  const { world, ask } = createWorld();
  const old = await ask(roleRequest("app"));
  world.sleep(61 * MINUTE);
  const fresh = await ask(roleRequest("app"));
  await settle();
  expect(fresh).not.toBe(old);
  expect(fresh).toMatchObject({ expiration: world.truth + 60 * MINUTE });
});
