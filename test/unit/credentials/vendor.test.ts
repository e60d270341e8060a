import { describe, expect, test } from "bun:test";
import type { CredentialSource, Credentials } from "../../../src/aws/types.ts";
import { toWire } from "../../../src/credentials/response.ts";
import { parseRole } from "../../../src/credentials/role.ts";
import { createVendor, type Vendor, type VendRequest } from "../../../src/credentials/vendor.ts";
import { AppError } from "../../../src/errors.ts";
import type { Log } from "../../../src/log.ts";

const MINUTE = 60_000;
const quiet = () => {};
const log: Log = { debug: quiet, info: quiet, warning: quiet, error: quiet, flush: quiet };
const ROLE: VendRequest = { kind: "role", role: parseRole("app", "any") };

function setup(options: { lifeMs?: number; coldWaitMs?: number } = {}) {
  const world = {
    at: 1_000_000,
    calls: 0,
    running: 0,
    runningMost: 0,
    delayMs: 0,
    lifeMs: options.lifeMs ?? 60 * MINUTE,
    version: "a",
    failure: undefined as AppError | undefined,
  };
  const issue = async (): Promise<Credentials> => {
    world.calls += 1;
    world.running += 1;
    world.runningMost = Math.max(world.runningMost, world.running);
    const sessionToken = `${world.version}${world.calls}`;
    await Bun.sleep(world.delayMs);
    world.running -= 1;
    if (world.failure) throw world.failure;
    return { accessKeyId: "A", secretAccessKey: "S", sessionToken, expiration: world.at + world.lifeMs, roleArn: "" };
  };
  const source: CredentialSource = {
    version: () => world.version,
    session: issue,
    assume: issue,
    warm: async () => {},
  };
  const vendor = createVendor({ source, now: () => world.at, log, coldWaitMs: options.coldWaitMs });
  return { world, vendor, settle: () => Bun.sleep(5) };
}

/** Whether it throws or rejects is all the same here. */
const ask = async (vendor: Vendor) => vendor.vend(ROLE);
const down = new AppError("upstream-unavailable", "AWS is down");

describe("the cache", () => {
  test("a hit is synchronous, and the same object with the same body", async () => {
    const { world, vendor } = setup();
    const first = await vendor.vend(ROLE);
    expect(vendor.vend(ROLE)).toBe(first);
    expect(toWire(first)).toBe(toWire(first));
    expect(world.calls).toBe(1);
  });
  test("a thousand cold requests are one call", async () => {
    const { world, vendor } = setup();
    world.delayMs = 5;
    await Promise.all(Array.from({ length: 1000 }, () => vendor.vend(ROLE)));
    expect(world.calls).toBe(1);
  });
  test("at most 16 roles are fetched at once", async () => {
    const { world, vendor } = setup();
    world.delayMs = 2;
    const roles = Array.from(
      { length: 100 },
      (_, n): VendRequest => ({ kind: "role", role: parseRole(`r${n}`, "any") }),
    );
    await Promise.all(roles.map((role) => vendor.vend(role)));
    expect(world).toMatchObject({ calls: 100, runningMost: 16 });
  });
  test("another identity is used at once, and what comes late for the former is not kept", async () => {
    const { world, vendor } = setup();
    world.delayMs = 20;
    const former = vendor.vend(ROLE);
    world.delayMs = 5;
    world.version = "b";
    expect((await vendor.vend(ROLE)).sessionToken).toBe("b2");
    await former;
    expect(await vendor.vend(ROLE)).toMatchObject({ sessionToken: "b2" });
  });
});

describe("renewal", () => {
  for (const [lifeMinutes, renewedAt] of [
    [60, 40],
    [720, 480],
    [20, 10],
  ] as const) {
    test(`${lifeMinutes} minutes of life: in the background after ${renewedAt}`, async () => {
      const { world, vendor, settle } = setup({ lifeMs: lifeMinutes * MINUTE });
      const first = await vendor.vend(ROLE);
      world.at += renewedAt * MINUTE - 1;
      expect(vendor.vend(ROLE)).toBe(first);
      expect(world.calls).toBe(1);
      world.at += 1;
      expect(vendor.vend(ROLE)).toBe(first);
      await settle();
      expect(world.calls).toBe(2);
      expect(vendor.vend(ROLE)).not.toBe(first);
    });
  }
  test("under 15 minutes left: the renewal is waited for", async () => {
    const { world, vendor } = setup();
    await vendor.vend(ROLE);
    world.at += 50 * MINUTE;
    expect((await vendor.vend(ROLE)).sessionToken).toBe("a2");
  });
  test("when it fails, what is valid is served, and asked for again only after 5 s", async () => {
    const { world, vendor, settle } = setup();
    const first = await vendor.vend(ROLE);
    world.failure = down;
    world.at += 50 * MINUTE;
    expect(await vendor.vend(ROLE)).toBe(first);
    expect(vendor.vend(ROLE)).toBe(first);
    expect(world.calls).toBe(2);
    world.at += 5000;
    await vendor.vend(ROLE);
    await settle();
    expect(world.calls).toBe(3);
  });
  test("when it is slow, who comes first waits for it, and the others take what is valid", async () => {
    const { world, vendor } = setup({ coldWaitMs: 10 });
    const first = await vendor.vend(ROLE);
    world.delayMs = 60;
    world.at += 50 * MINUTE;
    const waiting = vendor.vend(ROLE);
    expect(waiting).toBeInstanceOf(Promise);
    expect(await waiting).toBe(first);
    world.at += 10;
    expect(vendor.vend(ROLE)).toBe(first);
    await Bun.sleep(80);
    expect(await vendor.vend(ROLE)).not.toBe(first);
    expect(world.calls).toBe(2);
  });
  test("when it fails, nothing is handed out whose end on the wire is past", async () => {
    const { world, vendor } = setup({ lifeMs: MINUTE + 950 });
    const end = Date.parse(toWire(await vendor.vend(ROLE)).expiration);
    world.failure = down;
    world.at = end - 1;
    expect(Date.parse(toWire(await vendor.vend(ROLE)).expiration)).toBe(end);
    world.at = end;
    await expect(ask(vendor)).rejects.toThrow("AWS is down");
  });
  test("what expired is never handed out", async () => {
    const { world, vendor } = setup();
    await vendor.vend(ROLE);
    world.failure = down;
    world.at += 60 * MINUTE;
    await expect(ask(vendor)).rejects.toThrow("AWS is down");
    world.failure = undefined;
    world.lifeMs = 0;
    world.at += 5000;
    await expect(ask(vendor)).rejects.toThrow("expired at");
  });
});

describe("failure", () => {
  test("is remembered for 5 s, and forgotten when the identity changes", async () => {
    const { world, vendor } = setup();
    world.failure = down;
    for (let asked = 0; asked < 10; asked += 1) await expect(ask(vendor)).rejects.toThrow("AWS is down");
    expect(world.calls).toBe(1);
    world.failure = undefined;
    world.version = "b";
    expect(await vendor.vend(ROLE)).toMatchObject({ sessionToken: "b2" });
  });
  test("that comes late for the former identity is not the new one's", async () => {
    const { world, vendor } = setup();
    world.delayMs = 20;
    world.failure = down;
    const former = ask(vendor).catch((error: unknown) => error);
    world.version = "b";
    const other = (async () => vendor.vend({ kind: "session" }))().catch((error: unknown) => error);
    expect(await Promise.all([former, other])).toEqual([down, down]);
    world.failure = undefined;
    expect((await ask(vendor)).sessionToken).toBe("b3");
  });
  test("that comes late for the former identity does not put off a renewal of the new one's", async () => {
    const { world, vendor, settle } = setup();
    world.delayMs = 20;
    const former = ask(vendor).catch((error: unknown) => error);
    world.version = "b";
    world.delayMs = 0;
    await ask(vendor);
    world.failure = down;
    world.at += 41 * MINUTE;
    expect(await former).toBe(down);
    world.failure = undefined;
    await ask(vendor);
    await settle();
    expect((await ask(vendor)).sessionToken).toBe("b3");
  });
  test("a slow source is given up on in time, and what arrives is kept", async () => {
    const { world, vendor } = setup({ coldWaitMs: 10 });
    world.delayMs = 40;
    await expect(ask(vendor)).rejects.toThrow("still fetching");
    await Bun.sleep(60);
    expect(vendor.vend(ROLE)).not.toBeInstanceOf(Promise);
    expect(world.calls).toBe(1);
  });
});

describe("what it says of the session without asking for it", () => {
  const SESSION: VendRequest = { kind: "session" };
  test("is nothing until somebody has asked, though a role was, and when the identity has changed", async () => {
    const { world, vendor } = setup();
    await vendor.vend(ROLE);
    expect(vendor.session()).toEqual({ status: "unknown" });
    const credentials = await vendor.vend(SESSION);
    expect(vendor.session()).toEqual({ status: "ok", credentials });
    world.version = "b";
    expect(vendor.session()).toEqual({ status: "unknown" });
    expect(world.calls).toBe(2);
  });
  test("is its failure, until one comes that is good, and nothing once that has expired", async () => {
    const { world, vendor } = setup();
    world.failure = down;
    expect((async () => vendor.vend(SESSION))()).rejects.toBe(down);
    await Bun.sleep(5);
    expect(vendor.session()).toEqual({ status: "failed", code: "upstream-unavailable" });
    world.failure = undefined;
    world.at += MINUTE;
    expect(vendor.session().status).toBe("failed");
    await vendor.vend(SESSION);
    expect(vendor.session().status).toBe("ok");
    world.at += 61 * MINUTE;
    expect(vendor.session()).toEqual({ status: "unknown" });
  });
});
