import { describe, expect, test } from "bun:test";
import { at, DOWN, GONE, settle, setup } from "./inspections-engine.ts";

describe("an inspection", () => {
  test("puts what the engine says into the store, and says that it changed", async () => {
    const { inspector, store, call, calls, ids, changes } = setup();
    const done = inspector.inspect("a");
    await settle();
    expect([calls.map(({ path }) => path), inspector.pending(), changes]).toEqual([["/containers/a/json"], 1, []]);
    call(0).answer(at("a", "10.0.0.2"));
    await done;
    expect([store.containers.get("a")?.name, ids("10.0.0.2")]).toEqual(["a", ["a"]]);
    expect([inspector.pending(), changes]).toEqual([0, [{ pending: 0, starting: 0 }]]);
  });

  test("of many questions at once is one call, and one more that begins after it", async () => {
    const { inspector, calls, call, ids } = setup();
    const first = inspector.inspect("a");
    const later = Promise.all(Array.from({ length: 20 }, () => inspector.inspect("a")));
    await settle();
    expect(calls).toHaveLength(1);
    call(0).answer(at("a", "10.0.0.2"));
    await first;
    await settle();
    expect([calls.length, inspector.pending()]).toEqual([2, 1]);
    call(1).answer(at("a", "10.0.0.3"));
    await later;
    expect([ids("10.0.0.2"), ids("10.0.0.3"), calls.length]).toEqual([[], ["a"], 2]);
  });

  test("removes what the engine does not know", async () => {
    const { inspector, store, call, calls } = setup();
    const known = inspector.inspect("a");
    await settle();
    call(0).answer(at("a", "10.0.0.2"));
    await known;
    const gone = inspector.inspect("a");
    await settle();
    call(1).fail(GONE);
    await gone;
    expect([store.containers.size, calls.length]).toEqual([0, 2]);
  });

  test("has at most 16 calls under way, and the next begins when one ends", async () => {
    const { inspector, calls, call } = setup();
    const all = Array.from({ length: 20 }, (_, index) => inspector.inspect(`c${index}`));
    await settle();
    expect([calls.length, inspector.pending()]).toEqual([16, 20]);
    call(3).fail(GONE);
    await settle();
    expect(calls).toHaveLength(17);
    for (let index = 0; index < 20; index += 1) {
      if (index !== 3) call(index).fail(GONE);
      await settle();
    }
    await Promise.all(all);
    expect([calls.length, inspector.pending()]).toEqual([20, 0]);
    void inspector.inspect("later");
    await settle();
    expect(calls).toHaveLength(21);
  });
});

test("starting counts those that may take an address, also when that is known only during a call", async () => {
  const { inspector, call } = setup();
  void inspector.inspect("a", true);
  void inspector.inspect("b");
  expect([inspector.starting(), inspector.pending()]).toEqual([1, 2]);
  void inspector.inspect("b", true);
  expect(inspector.starting()).toBe(2);
  await settle();
  call(0).fail(GONE);
  call(1).fail(GONE);
  await settle();
  expect([inspector.starting(), inspector.pending()]).toEqual([1, 1]);
  call(2).fail(GONE);
  await settle();
  expect(inspector.starting()).toBe(0);
});

describe("who looks at a change sees the call that is due", () => {
  for (const [title, end] of [
    ["after an answer", (call: ReturnType<ReturnType<typeof setup>["call"]>) => call.answer(at("a", "10.0.0.2"))],
    ["after a container is gone", (call: ReturnType<ReturnType<typeof setup>["call"]>) => call.fail(GONE)],
    ["after a failure", (call: ReturnType<ReturnType<typeof setup>["call"]>) => call.fail(DOWN)],
  ] as const) {
    test(title, async () => {
      const { inspector, calls, call, changes } = setup();
      void inspector.inspect("a", true);
      const due = inspector.inspect("a");
      await settle();
      end(call(0));
      await settle();
      expect([calls.length, changes]).toEqual([2, [{ pending: 1, starting: 1 }]]);
      call(1).answer(at("a", "10.0.0.3"));
      await due;
      expect(changes.slice(1)).toEqual([{ pending: 0, starting: 0 }]);
    });
  }
  test("also where only the next one is of a container that starts", async () => {
    const { inspector, call, changes } = setup();
    void inspector.inspect("a");
    void inspector.inspect("a", true);
    await settle();
    call(0).answer(at("a", "10.0.0.2"));
    await settle();
    expect(changes).toEqual([{ pending: 1, starting: 1 }]);
  });
});

test("after the end nothing is asked, nothing is put and nothing is tried again", async () => {
  const { inspector, store, calls, call } = setup();
  const [a, b] = [inspector.inspect("a"), inspector.inspect("b")];
  const due = inspector.inspect("a");
  await settle();
  inspector.close();
  call(0).answer(at("a", "10.0.0.2"));
  call(1).fail(DOWN);
  await Promise.all([a, b, due, inspector.inspect("c")]);
  await Bun.sleep(550);
  expect([store.containers.size, calls.length]).toEqual([0, 2]);
});
