import { expect, test } from "bun:test";
import type { Engine } from "../../../src/engine/client.ts";
import { createNetworkReadings } from "../../../src/engine/podman.ts";
import { AppError } from "../../../src/errors.ts";

const DOWN = new AppError("engine-unavailable", "down");

/** Readings of an engine each of whose calls a test answers, with the names of the networks that were read. */
function setup() {
  const calls: { answer: (...names: string[]) => void; fail: () => void }[] = [];
  const engine: Partial<Engine> = {
    get() {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      calls.push({
        answer: (...names) => resolve(JSON.stringify(names.map((Name) => ({ Id: Name, Name })))),
        fail: () => reject(DOWN),
      });
      return promise;
    },
  };
  const read: string[][] = [];
  const put = (networks: readonly { readonly name: string }[]) => void read.push(networks.map(({ name }) => name));
  return { calls, read, readings: createNetworkReadings(engine as Engine, put) };
}

test("one reading is under way, and one comes after it however many ask meanwhile", async () => {
  const { calls, read, readings } = setup();
  const first = readings.read();
  const others = Array.from({ length: 1_000 }, () => readings.read());
  await Bun.sleep(2);
  expect(calls).toHaveLength(1);
  calls[0]?.answer("old");
  const begunAtMs = await first;
  const answeredAtMs = performance.now();
  await Bun.sleep(2);
  expect(calls).toHaveLength(2);
  calls[1]?.answer("new");
  const times = new Set(await Promise.all(others));
  expect(times.size).toBe(1);
  expect([...times][0]).toBeWithin(begunAtMs, answeredAtMs + 2);
  expect([read, calls.length]).toEqual([[["old"], ["new"]], 2]);
});

test("one that fails is told to those who asked for it, and not to those who get the next", async () => {
  const { calls, read, readings } = setup();
  const first = readings.read();
  const second = readings.read();
  calls[0]?.fail();
  await expect(first).rejects.toBe(DOWN);
  await Bun.sleep(2);
  calls[1]?.answer("n");
  await second;
  expect(read).toEqual([["n"]]);
  const third = readings.read();
  calls[2]?.fail();
  await expect(third).rejects.toBe(DOWN);
});

test("a reading anew is not repeated within a quarter of a second, and is undefined where it fails", async () => {
  const { calls, readings } = setup();
  const first = readings.reread();
  calls[0]?.answer("n");
  expect(await first).toBeNumber();
  expect(await readings.reread()).toBe(await first);
  await Bun.sleep(260);
  const again = readings.reread();
  calls[1]?.fail();
  expect(await again).toBeUndefined();
  expect(calls).toHaveLength(2);
});

test("a slow reading is waited for, and not asked beside", async () => {
  const { calls, readings } = setup();
  const slow = readings.reread();
  await Bun.sleep(260);
  const next = readings.reread();
  await Bun.sleep(2);
  expect(calls).toHaveLength(1);
  calls[0]?.answer("n");
  const begunAtMs = (await slow) ?? 0;
  expect(await next).toBe(begunAtMs);
  expect(calls).toHaveLength(1);
});

test("a reading anew is the one that an event asked for, where there is one", async () => {
  const { calls, readings } = setup();
  void readings.read();
  const asked = readings.read();
  const anew = readings.reread();
  calls[0]?.answer("old");
  await Bun.sleep(2);
  calls[1]?.answer("new");
  expect(await anew).toBe(await asked);
});
