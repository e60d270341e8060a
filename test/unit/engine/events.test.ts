import { describe, expect, test } from "bun:test";
import type { Engine } from "../../../src/engine/client.ts";
import { createEvents } from "../../../src/engine/sync.ts";
import { AppError } from "../../../src/errors.ts";

const line = (second: number, Action: string, nano = 0, name = "web") =>
  JSON.stringify({
    Type: "container",
    Action,
    Actor: { ID: "4f0c", Attributes: { name } },
    time: second,
    // Far enough apart for a number of JavaScript.
    timeNano: second * 1e9 + nano * 1e6,
  });

/** Events of an engine that answers a question for them with `log`. */
function setup(needsCatchUp: boolean) {
  const world = { log: "", asked: [] as string[], applied: [] as string[], failure: undefined as Error | undefined };
  const engine: Partial<Engine> = {
    needsCatchUp,
    async get(path) {
      world.asked.push(path);
      if (world.failure) throw world.failure;
      return world.log;
    },
  };
  const events = createEvents(engine as Engine, async (event) => void world.applied.push(event.Action));
  return { world, events };
}

describe("an event of the stream", () => {
  test("is applied each time where the stream is in time", async () => {
    const { world, events } = setup(false);
    for (const each of [line(100, "start"), line(100, "start"), line(101, "die")]) await events.take(each);
    expect(world.applied).toEqual(["start", "start", "die"]);
  });
  test("is applied once where the stream is late", async () => {
    const { world, events } = setup(true);
    for (const each of [line(100, "start"), line(100, "start"), line(100, "die"), line(100, "start", 1)])
      await events.take(each);
    expect(world.applied).toEqual(["start", "die", "start"]);
  });
  test("of one moment is not another container's", async () => {
    const { world, events } = setup(true);
    await events.take(line(100, "start", 0, "web"));
    await events.take(line(100, "start", 0, "db"));
    expect(world.applied).toEqual(["start", "start"]);
  });
  test("without a time is applied", async () => {
    const { world, events } = setup(true);
    const timeless = JSON.stringify({ Type: "container", Action: "start", Actor: { ID: "a" } });
    for (const each of [timeless, timeless]) await events.take(each);
    expect(world.applied).toEqual(["start", "start"]);
  });
  test("that is not understood is an error", () => {
    const { events } = setup(false);
    expect(async () => events.take("{}")).toThrow(expect.objectContaining({ code: "engine-bad-answer" }));
  });
});

describe("catching up", () => {
  test("asks for nothing where the stream is in time", async () => {
    const { world, events } = setup(false);
    await events.catchUp();
    expect(world.asked).toEqual([]);
  });

  test("asks for what came since two seconds before the newest event, and applies what is new", async () => {
    const { world, events } = setup(true);
    await events.take(line(100, "start"));
    await events.take(line(99, "create"));
    world.log = `${line(99, "create")}\n${line(100, "start")}\n${line(101, "die")}\n`;
    await events.catchUp();
    expect(world.asked[0]).toMatch(/^\/events\?stream=false&since=98&filters=%7B/);
    expect(world.applied).toEqual(["start", "create", "die"]);
    await events.take(line(101, "die"));
    expect(world.applied).toHaveLength(3);
  });

  test("asks for the last minute before the first event", async () => {
    const { world, events } = setup(true);
    const before = Math.floor(Date.now() / 1000) - 60;
    await events.catchUp();
    const since = Number(/since=(\d+)&/.exec(world.asked[0] ?? "")?.[1]);
    expect(since - before).toBeWithin(0, 3);
  });

  test("is one question for all who ask at once", async () => {
    const { world, events } = setup(true);
    await Promise.all([events.catchUp(), events.catchUp(), events.catchUp()]);
    expect(world.asked).toHaveLength(1);
  });

  test("fails where the engine does, and is tried again later", async () => {
    const { world, events } = setup(true);
    world.failure = new AppError("engine-unavailable", "down");
    await expect(events.catchUp()).rejects.toThrow("down");
    world.failure = undefined;
    await Bun.sleep(120);
    await events.catchUp();
    expect(world.asked).toHaveLength(2);
  });
});
