import { describe, expect, test } from "bun:test";
import { type NetworkRequest, optionsOf, readAsked } from "../../../src/network/options.ts";
import { statusJson, statusText } from "../../../src/network/status.ts";

describe("what is asked", () => {
  for (const [options, asked, again] of [
    [{}, undefined, []],
    [{ port: "5000" }, { port: 5000, loopback: false }, ["--port", "5000"]],
    [{ bridge: ["a", "b"] }, { port: 51679, loopback: false, bridges: ["a", "b"] }, ["--bridge", "a", "--bridge", "b"]],
    [{ loopback: true }, { port: 51679, loopback: true }, ["--loopback"]],
  ] as const) {
    test(`by ${JSON.stringify(options)} is read, and written as the same options`, () => {
      const read = readAsked({ action: "up", ...options });
      expect<unknown>(read).toEqual(asked);
      if (read) expect(optionsOf(read)).toEqual([...again]);
    });
  }

  const wrong: readonly (readonly [Omit<NetworkRequest, "action">, string])[] = [
    [{ port: "0" }, "'0'"],
    [{ port: "65536" }, "'65536'"],
    [{ port: "80x" }, "'80x'"],
    [{ port: "" }, "''"],
    [{ loopback: true, port: "80" }, "--loopback goes with neither"],
    [{ loopback: true, bridge: ["a"] }, "--loopback goes with neither"],
    ...["lo", "all", "default", "a/b", "..", "", "br+", '"ab"', "-j", "--comment"].map(
      (name) => [{ bridge: ["a", name] }, `'${name}'`] as const,
    ),
  ];
  for (const [options, named] of wrong) {
    test(`by ${JSON.stringify(options)} is wrong usage that names the value`, () => {
      expect(() => readAsked({ action: "up", ...options })).toThrow(
        expect.objectContaining({ code: "bad-configuration", message: expect.stringContaining(named) }) as Error,
      );
    });
  }
});

describe("the status", () => {
  const lines = [
    { what: "one", stands: true },
    { what: "two", stands: false },
  ];
  test("is a line a thing, and says what to run", () => {
    expect(statusText(lines, ["three"])).toBe(
      "ok       one\nmissing  two\nnote     three\n1 of 2 are missing: run network up\n",
    );
    expect(statusText(lines, [], ["--port", "5000"])).toEndWith("missing: run network up --port 5000\n");
    expect(statusText(lines.slice(0, 1), [])).toBe("ok       one\nall stands\n");
  });
  test("is one object for programs", () => {
    expect(statusJson(lines, ["three"])).toEndWith("}\n");
    expect(JSON.parse(statusJson(lines, ["three"]))).toEqual({ stands: false, things: lines, notes: ["three"] });
    expect(JSON.parse(statusJson([], []))).toMatchObject({ stands: true });
  });
});
