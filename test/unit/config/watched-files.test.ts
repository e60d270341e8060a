import { afterEach, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { readJsonObject } from "../../../src/config/json-file.ts";
import { watchFiles } from "../../../src/config/watched-files.ts";
import { AppError } from "../../../src/errors.ts";
import { createLog } from "../../../src/log.ts";
import { folder } from "../../support/folder.ts";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function setup(contents: Record<string, string>) {
  const files = folder("watched");
  const lines: string[] = [];
  const log = createLog({ level: "debug", format: "json", write: (text) => lines.push(...text.trim().split("\n")) });
  const world = { values: {} as Record<string, unknown>, reads: 0, fails: false };
  const watched = Object.entries(contents).map(([name, text]) => {
    const path = files.write(name, text);
    const read = () => {
      world.reads += 1;
      if (world.fails) throw new TypeError("unexpected");
      world.values[name] = readJsonObject("SOME_FILE", path);
    };
    return { variable: "SOME_FILE", path, read };
  });
  ends.push(files.remove);
  const start = () => {
    const watch = watchFiles(watched, log);
    ends.push(watch.close);
    return watch;
  };
  /** The lines of the log since the last call. */
  const said = () => {
    log.flush();
    return lines.splice(0).map((line) => JSON.parse(line));
  };
  return { ...files, world, start, said };
}

describe("at the start", () => {
  test("every file is read once, and nothing is said", () => {
    const { world, start, said } = setup({ a: '{"v":1}', b: "{}" });
    start().look();
    expect([world.values, world.reads, said()]).toEqual([{ a: { v: 1 }, b: {} }, 2, []]);
  });
  test("all problems are one error", () => {
    const { start } = setup({ a: "{", b: "{}", c: "[]" });
    expect(start).toThrow(
      expect.objectContaining({
        code: "bad-configuration",
        message: expect.stringMatching(/a', which is.*\n.*c', whi/),
      }),
    );
    expect(start).toThrow(AppError);
  });
});

describe("a change", () => {
  test("is taken up and said once", () => {
    const { write, world, start, said } = setup({ a: '{"v":1}', b: "{}" });
    const watch = start();
    const path = write("a", '{"v":23}');
    watch.look();
    watch.look();
    expect([world.values.a, world.reads]).toEqual([{ v: 23 }, 3]);
    expect(said()).toMatchObject([{ level: "info", event: "a changed file is used", variable: "SOME_FILE", path }]);
  });
  test("that is broken leaves what was read, is said once with the place, and so is its mending", () => {
    const { write, world, start, said } = setup({ a: '{"v":1}' });
    const watch = start();
    const path = write("a", '{"v":\n}');
    watch.look();
    watch.look();
    expect(world.values.a).toEqual({ v: 1 });
    const cause = expect.stringContaining("is not JSON: ");
    expect(said()).toMatchObject([{ level: "warning", event: expect.stringContaining("cannot be used"), path, cause }]);
    write("a", '{"v":\n} ');
    watch.look();
    expect(said()).toEqual([]);
    write("a", '{"v":4}');
    watch.look();
    expect(world.values.a).toEqual({ v: 4 });
    expect(said()).toMatchObject([{ level: "info", event: "a corrected file is used again", path }]);
    write("a", '{"v":56}');
    watch.look();
    expect(said()).toMatchObject([{ event: "a changed file is used" }]);
  });
  test("to no file at all leaves what was read", () => {
    const { path, write, world, start, said } = setup({ a: '{"v":1}' });
    const watch = start();
    rmSync(`${path}/a`);
    watch.look();
    expect([world.values.a, said()]).toMatchObject([{ v: 1 }, [{ cause: expect.stringContaining("cannot be read") }]]);
    write("a", '{"v":2}');
    watch.look();
    expect(world.values.a).toEqual({ v: 2 });
  });
  test("that fails unexpectedly does not end the server", () => {
    const { write, world, start, said } = setup({ a: '{"v":1}' });
    const watch = start();
    world.fails = true;
    write("a", "{}");
    watch.look();
    expect(said()).toMatchObject([{ level: "warning", cause: expect.stringContaining("cannot be used") }]);
  });
  test("is seen within a second or so without a call, and not after the end", async () => {
    const { write, world, start } = setup({ a: '{"v":1}' });
    const watch = start();
    write("a", '{"v":23}');
    await Bun.sleep(1_200);
    expect(world.values.a).toEqual({ v: 23 });
    watch.close();
    write("a", '{"v":456}');
    await Bun.sleep(1_200);
    expect(world.values.a).toEqual({ v: 23 });
  });
});
