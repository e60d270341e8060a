import { describe, expect, test } from "bun:test";
import { at, DOWN, settle, setup } from "./inspections-engine.ts";

describe("a withdrawal", () => {
  test("during a call holds for what that call says, and ends with the next", async () => {
    const { inspections, picture, call, ids } = setup();
    const first = inspections.inspect("a");
    await settle();
    inspections.withdraw("a");
    const second = inspections.inspect("a");
    call(0).answer(at("a", "10.0.0.2"));
    await first;
    expect([ids("10.0.0.2"), picture.containers.has("a")]).toEqual([[], true]);
    await settle();
    call(1).answer(at("a", "10.0.0.2"));
    await second;
    expect(ids("10.0.0.2")).toEqual(["a"]);
  });
  test("takes the addresses out at once, and of no other container", async () => {
    const { inspections, call, ids } = setup();
    const both = Promise.all([inspections.inspect("a"), inspections.inspect("b")]);
    await settle();
    call(0).answer(at("a", "10.0.0.2"));
    call(1).answer(at("b", "10.0.0.2"));
    await both;
    inspections.withdraw("a");
    expect(ids("10.0.0.2")).toEqual(["b"]);
  });
});

describe("an end", () => {
  const runs = (picture: ReturnType<typeof setup>["picture"]) => picture.containers.get("a")?.running;

  test("is believed while the engine does not tell of the container, and no longer than that", async () => {
    const { inspections, picture, call, ids } = setup();
    const first = inspections.inspect("a");
    await settle();
    call(0).answer(at("a", "10.0.0.2"));
    await first;
    inspections.end("a");
    const second = inspections.inspect("a");
    await settle();
    call(1).fail(DOWN);
    await second;
    expect([runs(picture), ids("10.0.0.2")]).toEqual([false, []]);
    const third = inspections.inspect("a");
    await settle();
    call(2).answer(at("a", "10.0.0.2"));
    await third;
    const fourth = inspections.inspect("a");
    await settle();
    call(3).fail(DOWN);
    await fourth;
    expect(runs(picture)).toBe(true);
  });

  for (const [which, starting] of [
    ["a call", false],
    ["the call of its start", true],
  ] as const) {
    test(`during ${which} holds although that tells of a container that runs`, async () => {
      const { inspections, picture, call } = setup();
      const first = inspections.inspect("a", starting);
      await settle();
      inspections.end("a");
      const second = inspections.inspect("a");
      call(0).answer(at("a", "10.0.0.2"));
      await first;
      await settle();
      call(1).fail(DOWN);
      await second;
      expect(runs(picture)).toBe(false);
    });
  }

  test("of one that shares leaves it no network of an owner that is gone", async () => {
    const { inspections, picture, call } = setup();
    const known = inspections.inspect("a");
    await settle();
    call(0).answer(at("a", "10.0.0.2"));
    await known;
    const owner = picture.containers.get("a");
    if (owner) picture.put({ ...owner, id: "side", name: "side", networkOwner: "a", attachments: [] });
    inspections.end("side");
    const ended = inspections.inspect("side");
    await settle();
    call(1).fail(DOWN);
    await ended;
    expect(picture.containers.get("side")?.attachments).toHaveLength(1);
    inspections.remove("a");
    expect(picture.containers.get("side")?.attachments).toEqual([]);
  });

  test("is none where the container was started again since", async () => {
    const { inspections, picture, call } = setup();
    const first = inspections.inspect("a");
    await settle();
    call(0).answer(at("a", "10.0.0.2"));
    await first;
    inspections.end("a");
    const second = inspections.inspect("a");
    const third = inspections.inspect("a", true);
    await settle();
    call(1).answer(at("a", "10.0.0.2"));
    await second;
    await settle();
    call(2).fail(DOWN);
    await third;
    expect(runs(picture)).toBe(true);
  });

  test("of a container that is not known is nothing", async () => {
    const { inspections, picture, call } = setup();
    inspections.end("a");
    const first = inspections.inspect("a");
    await settle();
    call(0).fail(DOWN);
    await first;
    expect(picture.containers.size).toBe(0);
  });
});

test("a removal holds for what a call under way says, and for no later one", async () => {
  const { inspections, picture, call, changes } = setup();
  const first = inspections.inspect("a");
  await settle();
  call(0).answer(at("a", "10.0.0.2"));
  await first;
  const second = inspections.inspect("a");
  await settle();
  const before = changes.length;
  inspections.remove("a");
  expect([picture.containers.has("a"), changes.length]).toEqual([false, before + 1]);
  call(1).answer(at("a", "10.0.0.2"));
  await second;
  expect(picture.containers.has("a")).toBe(false);
  const third = inspections.inspect("a");
  await settle();
  call(2).answer(at("a", "10.0.0.2"));
  await third;
  expect(picture.containers.has("a")).toBe(true);
});

test("the time of an inspection is that of its question", async () => {
  const { inspections, call } = setup();
  expect(inspections.inspectedAtMs("a")).toBe(Number.NEGATIVE_INFINITY);
  const before = performance.now();
  const done = inspections.inspect("a");
  await settle();
  const asked = performance.now();
  call(0).answer(at("a", "10.0.0.2"));
  await done;
  expect(inspections.inspectedAtMs("a")).toBeWithin(before, asked);
  inspections.remove("a");
  expect(inspections.inspectedAtMs("a")).toBe(Number.NEGATIVE_INFINITY);
});

describe("a failure", () => {
  for (const [title, end] of [
    ["of the engine", (call: ReturnType<ReturnType<typeof setup>["call"]>) => call.fail(DOWN)],
    ["to understand its answer", (call: ReturnType<ReturnType<typeof setup>["call"]>) => call.answer("{}")],
  ] as const) {
    test(`${title} takes the addresses out, and is tried again after half a second`, async () => {
      const { inspections, picture, calls, call, ids, lines } = setup();
      const first = inspections.inspect("a");
      await settle();
      call(0).answer(at("a", "10.0.0.2"));
      await first;
      const second = inspections.inspect("a");
      await settle();
      end(call(1));
      await second;
      expect([ids("10.0.0.2"), picture.containers.has("a"), calls.length]).toEqual([[], true, 2]);
      expect(lines).toEqual(["a container could not be inspected, trying again"]);
      const failedAtMs = performance.now();
      while (calls.length < 3) await Bun.sleep(10);
      expect(performance.now() - failedAtMs).toBeGreaterThan(450);
      expect(inspections.starting()).toBe(1);
      call(2).answer(at("a", "10.0.0.2"));
      await settle();
      expect(ids("10.0.0.2")).toEqual(["a"]);
    });
  }
});
