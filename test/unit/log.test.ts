import { describe, expect, test } from "bun:test";
import { createLog, type Fields, type LogLevel } from "../../src/log.ts";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/;

function setup(format: "text" | "json" = "text", level: LogLevel = "debug") {
  const writes: string[] = [];
  return { log: createLog({ level, format, write: (lines) => writes.push(lines) }), writes };
}

/** What was written of one event, without its time. */
function written(format: "text" | "json", event: string, fields?: Fields): string {
  const { log, writes } = setup(format);
  log.info(event, fields);
  log.flush();
  return writes.join("").replace(format === "text" ? TIME : /"time":"[^"]+Z",/, "");
}

describe("a line of text", () => {
  test("begins with the time of now, to the millisecond, and its level", () => {
    const { log, writes } = setup();
    const before = Date.now();
    log.warning("it happened");
    log.flush();
    const line = writes.join("");
    expect(line).toMatch(/^[\d-]{10}T[\d:]{8}\.\d{3}Z warning it happened\n$/);
    const at = Date.parse(line.slice(0, 24));
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
  });

  for (const [title, fields, expected] of [
    ["has plain values as they are", { path: "/v3/a-b_c.d:e", port: 80 }, " path=/v3/a-b_c.d:e port=80"],
    ["has numbers and truth values", { status: 0, cached: false }, " status=0 cached=false"],
    ["quotes what has a space", { cause: "not there" }, ' cause="not there"'],
    ["quotes what has a quote or an equals sign", { cause: 'a="b"' }, ' cause="a=\\"b\\""'],
    ["quotes what is empty", { cause: "" }, ' cause=""'],
    ["quotes what is not ASCII", { container: "wäb" }, ' container="wäb"'],
    ["leaves out what is undefined", { cause: undefined, port: 1 }, " port=1"],
    [
      "is one line whatever a caller sends",
      { path: "/a\nb\r\nc\u0000\u001b[31m" },
      ' path="/a\\nb\\r\\nc\\u0000\\u001b[31m"',
    ],
    ["is one line where a line break ends it", { path: "/a\n" }, ' path="/a\\n"'],
  ] as const) {
    test(title, () => expect(written("text", "it", fields)).toBe(` info it${expected}\n`));
  }
});

describe("a line of JSON", () => {
  for (const [title, fields, expected] of [
    ["has its level, its event and its fields", { path: "/v3", port: 80 }, ',"path":"/v3","port":80'],
    ["leaves out what is undefined", { cause: undefined }, ""],
    ["is one line whatever a caller sends", { path: 'a\n"}\r\n{' }, ',"path":"a\\n\\"}\\r\\n{"'],
  ] as const) {
    test(title, () => expect(written("json", "it", fields)).toBe(`{"level":"info","event":"it"${expected}}\n`));
  }
  test("begins with the time", () => {
    const { log, writes } = setup("json");
    log.info("it");
    log.flush();
    expect(writes.join("")).toMatch(/^\{"time":"[\d-]{10}T[\d:]{8}\.\d{3}Z","level":"info","event":"it"\}\n$/);
  });
});

describe("a level", () => {
  const levels = ["debug", "info", "warning", "error"] as const;
  for (const [index, level] of levels.entries()) {
    test(`of ${level} writes that and what is worse`, () => {
      const { log, writes } = setup("text", level);
      for (const each of levels) log[each](`it was ${each}`);
      log.flush();
      const seen = [...writes.join("").matchAll(/it was (\w+)/g)].map(([, each]) => each);
      expect(seen).toEqual([...levels.slice(index)]);
    });
  }
});

describe("lines", () => {
  test("are written together, in order, within 50 ms", async () => {
    const { log, writes } = setup();
    log.info("one");
    log.error("two");
    expect(writes).toEqual([]);
    await Bun.sleep(80);
    expect(writes).toHaveLength(1);
    expect(writes[0]).toMatch(/^\S+ info one\n\S+ error two\n$/);
    log.info("three");
    await Bun.sleep(80);
    expect(writes[1]).toMatch(/^\S+ info three\n$/);
  });

  test("that were flushed are not written again, and nothing is written for nothing", async () => {
    const { log, writes } = setup();
    log.flush();
    log.info("one");
    log.flush();
    log.flush();
    await Bun.sleep(80);
    expect(writes).toHaveLength(1);
  });

  test("beyond 1 MiB between two writes are dropped and counted", () => {
    const { log, writes } = setup();
    const cause = "x".repeat(1024);
    const head = `2026-01-02T03:04:05.678Z info it cause=${cause}\n`.length;
    const kept = Math.floor((1024 * 1024) / head) + 1;
    for (let index = 0; index < kept + 3; index += 1) log.info("it", { cause });
    log.flush();
    const lines = (writes[0] ?? "").trimEnd().split("\n");
    expect(lines).toHaveLength(kept + 1);
    expect(lines.at(-1)).toEndWith("Z warning lines of the log were dropped lines=3");
    log.info("after");
    log.flush();
    expect(writes[1]).toMatch(/^\S+ info after\n$/);
  });
});
