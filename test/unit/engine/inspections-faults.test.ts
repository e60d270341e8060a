import { describe, expect, test } from "bun:test";
import { at, DOWN, settle, setup } from "./inspections-engine.ts";

describe("a withdrawal", () => {
  test("during a call holds for what that call says, and ends with the next", async () => {
    const { inspector, store, call, ids } = setup();
    const first = inspector.inspect("a");
    await settle();
    inspector.withdraw("a");
    const second = inspector.inspect("a");
    call(0).answer(at("a", "10.0.0.2"));
    await first;
    expect([ids("10.0.0.2"), store.containers.has("a")]).toEqual([[], true]);
    await settle();
    call(1).answer(at("a", "10.0.0.2"));
    await second;
    expect(ids("10.0.0.2")).toEqual(["a"]);
  });
  test("takes the addresses out at once, and of no other container", async () => {
    const { inspector, call, ids } = setup();
    const both = Promise.all([inspector.inspect("a"), inspector.inspect("b")]);
    await settle();
    call(0).answer(at("a", "10.0.0.2"));
    call(1).answer(at("b", "10.0.0.2"));
    await both;
    inspector.withdraw("a");
    expect(ids("10.0.0.2")).toEqual(["b"]);
  });
});

describe("an end", () => {
  const runs = (store: ReturnType<typeof setup>["store"]) => store.containers.get("a")?.running;

  test("is believed while the engine does not tell of the container, and no longer than that", async () => {
    const { inspector, store, call, ids } = setup();
    const first = inspector.inspect("a");
    await settle();
    call(0).answer(at("a", "10.0.0.2"));
    await first;
    inspector.end("a");
    const second = inspector.inspect("a");
    await settle();
    call(1).fail(DOWN);
    await second;
    expect([runs(store), ids("10.0.0.2")]).toEqual([false, []]);
    const third = inspector.inspect("a");
    await settle();
    call(2).answer(at("a", "10.0.0.2"));
    await third;
    const fourth = inspector.inspect("a");
    await settle();
    call(3).fail(DOWN);
    await fourth;
    expect(runs(store)).toBe(true);
  });

  for (const [which, starting] of [
    ["a call", false],
    ["the call of its start", true],
  ] as const) {
    test(`during ${which} holds although that tells of a container that runs`, async () => {
      const { inspector, store, call } = setup();
      const first = inspector.inspect("a", starting);
      await settle();
      inspector.end("a");
      const second = inspector.inspect("a");
      call(0).answer(at("a", "10.0.0.2"));
      await first;
      await settle();
      call(1).fail(DOWN);
      await second;
      expect(runs(store)).toBe(false);
    });
  }

  test("of one that shares leaves it no network of an owner that is gone", async () => {
    const { inspector, store, call } = setup();
    const known = inspector.inspect("a");
    await settle();
    call(0).answer(at("a", "10.0.0.2"));
    await known;
    const owner = store.containers.get("a");
    if (owner) store.put({ ...owner, id: "side", name: "side", networkOwner: "a", endpoints: [] });
    inspector.end("side");
    const ended = inspector.inspect("side");
    await settle();
    call(1).fail(DOWN);
    await ended;
    expect(store.containers.get("side")?.endpoints).toHaveLength(1);
    inspector.remove("a");
    expect(store.containers.get("side")?.endpoints).toEqual([]);
  });

  test("is none where the container was started again since", async () => {
    const { inspector, store, call } = setup();
    const first = inspector.inspect("a");
    await settle();
    call(0).answer(at("a", "10.0.0.2"));
    await first;
    inspector.end("a");
    const second = inspector.inspect("a");
    const third = inspector.inspect("a", true);
    await settle();
    call(1).answer(at("a", "10.0.0.2"));
    await second;
    await settle();
    call(2).fail(DOWN);
    await third;
    expect(runs(store)).toBe(true);
  });

  test("of a container that is not known is nothing", async () => {
    const { inspector, store, call } = setup();
    inspector.end("a");
    const first = inspector.inspect("a");
    await settle();
    call(0).fail(DOWN);
    await first;
    expect(store.containers.size).toBe(0);
  });
});

test("a removal holds for what a call under way says, and for no later one", async () => {
  const { inspector, store, call, changes } = setup();
  const first = inspector.inspect("a");
  await settle();
  call(0).answer(at("a", "10.0.0.2"));
  await first;
  const second = inspector.inspect("a");
  await settle();
  const before = changes.length;
  inspector.remove("a");
  expect([store.containers.has("a"), changes.length]).toEqual([false, before + 1]);
  call(1).answer(at("a", "10.0.0.2"));
  await second;
  expect(store.containers.has("a")).toBe(false);
  const third = inspector.inspect("a");
  await settle();
  call(2).answer(at("a", "10.0.0.2"));
  await third;
  expect(store.containers.has("a")).toBe(true);
});

test("the time of an inspection is that of its question", async () => {
  const { inspector, call } = setup();
  expect(inspector.inspectedAtMs("a")).toBe(Number.NEGATIVE_INFINITY);
  const before = performance.now();
  const done = inspector.inspect("a");
  await settle();
  const asked = performance.now();
  call(0).answer(at("a", "10.0.0.2"));
  await done;
  expect(inspector.inspectedAtMs("a")).toBeWithin(before, asked);
  inspector.remove("a");
  expect(inspector.inspectedAtMs("a")).toBe(Number.NEGATIVE_INFINITY);
});

describe("a failure", () => {
  for (const [title, end] of [
    ["of the engine", (call: ReturnType<ReturnType<typeof setup>["call"]>) => call.fail(DOWN)],
    ["to understand its answer", (call: ReturnType<ReturnType<typeof setup>["call"]>) => call.answer("{}")],
  ] as const) {
    test(`${title} takes the addresses out, and is tried again after half a second`, async () => {
      const { inspector, store, calls, call, ids, lines } = setup();
      const first = inspector.inspect("a");
      await settle();
      call(0).answer(at("a", "10.0.0.2"));
      await first;
      const second = inspector.inspect("a");
      await settle();
      end(call(1));
      await second;
      expect([ids("10.0.0.2"), store.containers.has("a"), calls.length]).toEqual([[], true, 2]);
      expect(lines).toEqual(["a container could not be inspected, trying again"]);
      const failedAtMs = performance.now();
      while (calls.length < 3) await Bun.sleep(10);
      expect(performance.now() - failedAtMs).toBeGreaterThan(450);
      expect(inspector.starting()).toBe(1);
      call(2).answer(at("a", "10.0.0.2"));
      await settle();
      expect(ids("10.0.0.2")).toEqual(["a"]);
    });
  }
});
