import { afterEach, describe, expect, test } from "bun:test";
import type { StatsStreams } from "../../../src/engine/stats-stream.ts";
import { FIRST, settle, setup } from "./stats-engine.ts";

const open: StatsStreams[] = [];
afterEach(() => {
  for (const streams of open.splice(0)) streams.close();
});

function start(options: Parameters<typeof setup>[0] = {}) {
  const world = setup(options);
  open.push(world.streams);
  return world;
}

const frame = (id: string, n: number) =>
  `{"id":"${id}","name":"/${id}","n":${n},"precpu_stats":{"system_cpu_usage":${n}}}`;

describe("a sample", () => {
  test("is of the container's own stream, in the engine's own text", async () => {
    const { streams, engine } = start();
    expect(streams.latest("a")).toBeUndefined();
    await settle();
    expect(engine.paths).toEqual(["/containers/a/stats?stream=true"]);
    const text = '{"id":"a","name":"/a","limit":18446744073709551615,"precpu_stats":{"system_cpu_usage":1e0}}';
    engine.send("a", text);
    await settle();
    expect([streams.latest("a")?.plain(), streams.latest("a")?.rated()]).toEqual([text, text]);
  });

  test("is the latest one, of one stream however often it is asked for", async () => {
    const { streams, engine } = start();
    streams.latest("a");
    await settle();
    for (const n of [1, 2, 3]) engine.send("a", frame("a", n));
    await settle();
    const asked = [1, 2].map(() => streams.latest("a")?.plain());
    expect([...asked, engine.paths.length]).toEqual([frame("a", 3), frame("a", 3), 1]);
  });

  test("is not complete without an earlier reading, and is once there was one", async () => {
    const { streams, engine } = start();
    streams.latest("a");
    await settle();
    const second = frame("a", 1);
    for (const [sent, complete] of [
      [FIRST, false],
      ['{"id":"a","name":"/a","precpu_stats":{"system_cpu_usage":0}}', false],
      ['{"id":"a","name":"/a","precpu_stats":null}', false],
      [second, true],
      [FIRST, true],
    ] as const) {
      engine.send("a", sent);
      await settle();
      expect([streams.latest("a")?.plain(), streams.latest("a")?.complete]).toEqual([sent, complete]);
    }
  });

  test("is none without an engine, and nothing is waited for", async () => {
    const { streams } = start({ noEngine: true });
    expect(streams.latest("a")).toBeUndefined();
    expect(await streams.wait("a", 60_000)).toBeUndefined();
  });

  test("is none of a container that has stopped, of which Docker goes on sending zeros", async () => {
    const { streams, engine } = start();
    streams.latest("a");
    await settle();
    for (const sent of [frame("a", 1), '{"read":"0001-01-01T00:00:00Z","cpu_stats":{},"precpu_stats":{}}']) {
      engine.send("a", sent);
      await settle();
      expect(streams.latest("a")?.plain()).toBe(frame("a", 1));
    }
  });
});

describe("waiting", () => {
  test("goes past a first frame to one that is complete", async () => {
    const { streams, engine } = start();
    const waiting = streams.wait("a", 60_000);
    await settle();
    engine.send("a", FIRST);
    await settle();
    engine.send("a", frame("a", 1));
    expect((await waiting)?.plain()).toBe(frame("a", 1));
  });
  test("ends at once where a complete sample is there", async () => {
    const { streams, engine } = start();
    const waiting = streams.wait("a", 60_000);
    await settle();
    engine.send("a", frame("a", 1));
    await waiting;
    expect((await streams.wait("a", 0))?.plain()).toBe(frame("a", 1));
  });
  test("ends in time with what is there", async () => {
    const { streams, engine } = start({ realClock: true });
    const waiting = streams.wait("a", 40);
    await settle();
    engine.send("a", FIRST);
    expect((await waiting)?.plain()).toBe(FIRST);
  });
  test("ends in time with none where nothing is there", async () => {
    expect(await start({ realClock: true }).streams.wait("a", 10)).toBeUndefined();
  });
  test("ends with the stream", async () => {
    const { streams, engine } = start();
    const waiting = streams.wait("a", 60_000);
    await settle();
    engine.send("a", FIRST);
    await settle();
    engine.finish("a");
    expect((await waiting)?.plain()).toBe(FIRST);
  });
  test("by many is one stream, and all get the sample", async () => {
    const { streams, engine } = start();
    const waiting = Promise.all(Array.from({ length: 50 }, () => streams.wait("a", 60_000)));
    await settle();
    engine.send("a", frame("a", 1));
    expect(new Set((await waiting).map((sample) => sample?.plain()))).toEqual(new Set([frame("a", 1)]));
    expect(engine.paths).toHaveLength(1);
  });
});

test("a frame's id and name are put in where the engine leaves them out", async () => {
  const { streams, engine } = start({ nameOf: (id) => `name of ${id}` });
  const waiting = streams.wait("a", 60_000);
  await settle();
  engine.send("a", '{"precpu_stats":{"system_cpu_usage":1}}');
  expect(JSON.parse((await waiting)?.plain() ?? "")).toMatchObject({ id: "a", name: "/name of a" });
});

describe("a frame that is none of statistics is not a sample", () => {
  for (const sent of ['"x"', "5", "[]", "null", "{}", '{"id":"a","name":"/a"}', '{"message":"boom"}']) {
    test(sent, async () => {
      const { streams, engine } = start({ realClock: true });
      const waiting = streams.wait("a", 30);
      await settle();
      engine.send("a", sent);
      expect(await waiting).toBeUndefined();
    });
  }
});

describe("a failure is of one container alone", () => {
  for (const [title, fail] of [
    ["when its stream cannot be opened", (engine: ReturnType<typeof setup>["engine"]) => engine.refuse("a")],
    ["when its stream breaks off", (engine: ReturnType<typeof setup>["engine"]) => engine.breakOff("a")],
    ["when its frame is not JSON", (engine: ReturnType<typeof setup>["engine"]) => engine.send("a", '{"half":')],
  ] as const) {
    test(title, async () => {
      const { streams, engine, lines } = start();
      if (title.includes("opened")) fail(engine);
      const waiting = [streams.wait("a", 60_000), streams.wait("b", 60_000)];
      await settle();
      if (!title.includes("opened")) fail(engine);
      engine.send("b", frame("b", 1));
      expect((await Promise.all(waiting)).map((sample) => sample?.plain())).toEqual([undefined, frame("b", 1)]);
      expect(lines).toEqual(["a stream of statistics broke off"]);
      engine.send("b", frame("b", 2));
      await settle();
      expect(streams.latest("b")?.plain()).toBe(frame("b", 2));
    });
  }
  test("and the next question opens its stream anew", async () => {
    const { streams, engine } = start();
    engine.refuse("a");
    expect(await streams.wait("a", 60_000)).toBeUndefined();
    engine.accept("a");
    const waiting = streams.wait("a", 60_000);
    await settle();
    engine.send("a", frame("a", 1));
    expect((await waiting)?.plain()).toBe(frame("a", 1));
  });
});
