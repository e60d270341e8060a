import { afterEach, describe, expect, test } from "bun:test";
import type { StatsStreams } from "../../../src/engine/stats-stream.ts";
import { settle, setup } from "./stats-engine.ts";

const open: StatsStreams[] = [];
afterEach(() => {
  for (const streams of open.splice(0)) streams.close();
});

/** Streams that were asked for in this order, a millisecond apart. */
async function follow(ids: readonly string[], streamsMax?: number) {
  const world = setup(streamsMax === undefined ? {} : { streamsMax });
  open.push(world.streams);
  for (const id of ids) {
    world.streams.latest(id);
    world.world.nowMs += 1;
  }
  await settle();
  return world;
}

const FRAME = '{"id":"a","name":"/a","precpu_stats":{"system_cpu_usage":1}}';
const LEASE_MS = 60_000;
const IN_USE_MS = 30_000;

describe("a lease", () => {
  test("lasts for 60 s after the last question", async () => {
    const { streams, engine, world } = await follow(["a"]);
    streams.latest("a");
    world.nowMs += LEASE_MS;
    engine.send("a", FRAME);
    await settle();
    expect(engine.aborted).toEqual([]);
    world.nowMs += 1;
    engine.send("a", FRAME);
    await settle();
    expect(engine.aborted).toEqual(["a"]);
  });

  test("begins anew with each question", async () => {
    const { streams, engine, world } = await follow(["a"]);
    for (const ask of [() => streams.latest("a"), () => streams.wait("a", 0)]) {
      world.nowMs += LEASE_MS - 1;
      engine.send("a", FRAME);
      await settle();
      await ask();
    }
    world.nowMs += LEASE_MS;
    engine.send("a", FRAME);
    await settle();
    expect([engine.aborted, engine.paths.length]).toEqual([[], 1]);
  });

  test("ends with a stream that has stalled, and begins on a new one", async () => {
    const { streams, engine, world } = await follow(["a"]);
    engine.send("a", FRAME);
    await settle();
    world.nowMs += 14_999;
    expect(streams.latest("a")?.plain()).toBe(FRAME);
    world.nowMs += 1;
    expect(streams.latest("a")).toBeUndefined();
    await settle();
    expect([engine.aborted, engine.paths.length]).toEqual([["a"], 2]);
  });

  test("ends with the container's restart: what was read before is none of its own", async () => {
    const { streams, engine, world } = await follow(["a"]);
    engine.send("a", FRAME);
    await settle();
    expect(streams.latest("a")?.plain()).toBe(FRAME);
    world.startedAt.set("a", "2026-01-02T03:04:05Z");
    expect(streams.latest("a")).toBeUndefined();
    await settle();
    expect(engine.aborted).toEqual(["a"]);
  });

  test("that has ended leaves no sample behind", async () => {
    const { streams, engine, world } = await follow(["a"]);
    engine.send("a", FRAME);
    await settle();
    expect(streams.latest("a")?.plain()).toBe(FRAME);
    world.nowMs += LEASE_MS + 1;
    engine.send("a", FRAME);
    await settle();
    expect(streams.latest("a")).toBeUndefined();
    expect(engine.paths).toHaveLength(2);
  });

  test("ends with the container", async () => {
    const { engine, stopped } = await follow(["a", "b"]);
    stopped.add("a");
    engine.send("a", FRAME);
    engine.send("b", FRAME);
    await settle();
    expect(engine.aborted).toEqual(["a"]);
  });

  test("of every container ends with the server, and what waits has an answer", async () => {
    const { streams, engine } = await follow(["a", "b"]);
    const waiting = streams.wait("a", 60_000);
    streams.close();
    expect(await waiting).toBeUndefined();
    expect(engine.aborted).toEqual(["a", "b"]);
  });
});

describe("a full house", () => {
  test("gives no stream to another while all are in use, and says so once", async () => {
    const { streams, engine, lines, world } = await follow(["a", "b"], 2);
    world.nowMs += IN_USE_MS - 2;
    expect(streams.latest("c")).toBeUndefined();
    expect(await streams.wait("d", 60_000)).toBeUndefined();
    expect([engine.paths.length, engine.aborted]).toEqual([2, []]);
    expect(lines).toEqual(["all streams of statistics are in use, further containers have none"]);
  });

  test("says so again when there was room in between", async () => {
    const { streams, engine, lines } = await follow(["a", "b"], 2);
    for (const ended of ["a", "c"]) {
      streams.latest("d");
      streams.latest("e");
      engine.finish(ended);
      await settle();
      streams.latest("c");
      await settle();
    }
    streams.latest("d");
    expect(lines).toEqual(Array(3).fill("all streams of statistics are in use, further containers have none"));
  });

  test("goes on serving those who have one", async () => {
    const { streams, engine } = await follow(["a", "b"], 2);
    streams.latest("c");
    engine.send("a", FRAME);
    await settle();
    expect(streams.latest("a")?.plain()).toBe(FRAME);
  });

  test("gives the place of the one that was asked for least recently, if that is more than 30 s ago", async () => {
    const { streams, engine, world, lines } = await follow(["a", "b"], 2);
    world.nowMs += IN_USE_MS - 10;
    engine.send("a", FRAME);
    await settle();
    streams.latest("a");
    world.nowMs += 10;
    streams.latest("c");
    await settle();
    expect(engine.aborted).toEqual(["b"]);
    expect(engine.paths.at(-1)).toBe("/containers/c/stats?stream=true");
    expect(lines).toEqual([]);
  });

  test("has 128 places unless told otherwise", async () => {
    const ids = Array.from({ length: 129 }, (_, index) => `c${index}`);
    const { engine, lines } = await follow(ids);
    expect([engine.paths.length, lines.length]).toEqual([128, 1]);
  });

  test("has a place again when one ends", async () => {
    const { streams, engine } = await follow(["a", "b"], 2);
    engine.finish("a");
    await settle();
    streams.latest("c");
    await settle();
    expect(engine.paths.at(-1)).toBe("/containers/c/stats?stream=true");
  });
});
