import { heapStats } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import type { CredentialSource, Credentials } from "../../../src/aws/types.ts";
import { createVendor, type VendRequest } from "../../../src/credentials/vendor.ts";
import { AppError } from "../../../src/errors.ts";
import { createWorld, MINUTE, roleRequest, SECOND, settle } from "./vendor-world.ts";

const ROLES = 10_000;
const quiet = () => {};
const log = { debug: quiet, info: quiet, warning: quiet, error: quiet, flush: quiet };

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
    expect(world.calls.size).toBe(112);
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
  let calls = 0;
  const hang = (): Promise<never> => {
    calls += 1;
    return new Promise(() => {});
  };
  const source = { version: () => "", session: hang, assume: hang, warm: async () => {} };
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

test("where many roles wait, the session and renewals go first, each other in its turn, and the refused may ask again at once", async () => {
  const asked: string[] = [];
  const ends: (() => void)[] = [];
  let at = 0;
  const issue = async (name: string): Promise<Credentials> => {
    asked.push(name);
    if (name !== "mine") await new Promise<void>((end) => ends.push(end));
    return { accessKeyId: "A", secretAccessKey: "S", sessionToken: name, expiration: at + 60 * MINUTE, roleArn: "" };
  };
  const source: CredentialSource = {
    version: () => "",
    session: () => issue("session"),
    assume: ({ name }) => issue(name),
    warm: async () => {},
  };
  const limits = { upstreamMax: 1, waitingMax: 2 };
  const vendor = createVendor({ source, now: () => at, log, coldWaitMs: 5, ...limits });
  const ask = async (request: VendRequest): Promise<string> => {
    const answer = Promise.try(vendor.vend, request);
    return answer.then(
      ({ sessionToken }) => sessionToken,
      (error: AppError) => error.publicMessage,
    );
  };
  const flood = () => Promise.all(["a", "b", "c", "late"].map((name) => ask(roleRequest(name))));
  const waits = "still fetching the credentials from AWS";

  expect(await ask(roleRequest("mine"))).toBe("mine");
  at = 45 * MINUTE;
  const refusal = "too many different roles are being fetched at once";
  expect(await flood()).toEqual([waits, waits, waits, refusal]);
  expect(await ask({ kind: "session" })).toBe(waits);
  expect(await ask(roleRequest("mine"))).toBe("mine");
  for (let release = 0; release < 4; release += 1) {
    ends.shift()?.();
    await settle();
  }
  expect(asked).toEqual(["mine", "a", "session", "mine", "b", "c"]);
  expect(await flood()).toEqual(["a", "b", "c", waits]);
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
