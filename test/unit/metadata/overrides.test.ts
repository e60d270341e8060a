import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "../../../src/config/json-file.ts";
import { mergeOver, readOverride } from "../../../src/metadata/overrides.ts";

const directory = mkdtempSync(join(tmpdir(), "overrides-"));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

describe("merging", () => {
  for (const [title, document, override, expected] of [
    ["nothing leaves the document", { a: 1 }, undefined, { a: 1 }],
    ["an empty object leaves the document", { a: 1 }, {}, { a: 1 }],
    ["adds keys", { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    ["replaces values", { a: 1 }, { a: "x" }, { a: "x" }],
    [
      "goes into objects",
      { a: { b: { c: 1, d: 1 }, e: 1 } },
      { a: { b: { c: 2 } } },
      { a: { b: { c: 2, d: 1 }, e: 1 } },
    ],
    ["replaces arrays whole", { a: [1, 2, { b: 1 }] }, { a: [{ c: 1 }] }, { a: [{ c: 1 }] }],
    ["replaces an array by an object", { a: [1] }, { a: { b: 1 } }, { a: { b: 1 } }],
    ["replaces an object by an array", { a: { b: 1 } }, { a: [1] }, { a: [1] }],
    ["replaces an object by null", { a: { b: 1 } }, { a: null }, { a: null }],
    ["replaces null by an object", { a: null }, { a: { b: 1 } }, { a: { b: 1 } }],
    [
      "takes 0, false and empty text for values",
      { a: 1, b: 1, c: 1 },
      { a: 0, b: false, c: "" },
      { a: 0, b: false, c: "" },
    ],
  ] as const) {
    test(title, () => expect(mergeOver(document as JsonObject, override)).toEqual(expected as JsonObject));
  }

  test("changes neither side", () => {
    const [document, override] = [{ a: { b: 1 } }, { a: { c: { d: 1 } } }];
    mergeOver(document, override);
    expect([document, override]).toEqual([{ a: { b: 1 } }, { a: { c: { d: 1 } } }] as never);
  });

  test("has keys that are called like an object's own properties, as any other", () => {
    const text = '{"__proto__":"x","Labels":{"__proto__":{"a":1},"constructor":{"b":1},"toString":"y"}}';
    const merged = mergeOver({ Labels: { team: "z" } }, JSON.parse(text));
    expect(JSON.parse(JSON.stringify(merged))).toEqual(
      JSON.parse('{"__proto__":"x","Labels":{"team":"z","__proto__":{"a":1},"constructor":{"b":1},"toString":"y"}}'),
    );
    expect(JSON.stringify(mergeOver(merged, JSON.parse('{"__proto__":{"c":1}}')))).toContain('"__proto__":{"c":1}');
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });

  test("reaches no prototype", () => {
    mergeOver({}, JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'));
    expect({}).not.toHaveProperty("polluted");
  });
});

describe("an override's file", () => {
  test("is an object", () => {
    expect(readOverride("TASK_METADATA_PATH", file("good", ' {"Family":"é"}\n'))).toEqual({ Family: "é" });
  });

  for (const [title, text] of [
    ["lists", `{"a":${"[".repeat(60_000)}${"]".repeat(60_000)}}`],
    ["objects", `${'{"a":'.repeat(60_000)}1${"}".repeat(60_000)}`],
  ] as const) {
    test(`that is nested too deep to be written cannot be used: ${title}`, () => {
      expect(() => readOverride("TASK_METADATA_PATH", file("deep", text))).toThrow(
        /^TASK_METADATA_PATH is .*, which is nested too deep/,
      );
    });
  }

  for (const [title, path, reason] of [
    ["that is empty", file("empty", ""), /is not JSON: .+$/],
    ["that is cut short", file("cut", '{"a":'), /is not JSON: .+$/],
    ["that is an array", file("array", "[{}]"), /is not a JSON object$/],
    ["that is null", file("null", "null"), /is not a JSON object$/],
    ["that is text", file("text", '"{}"'), /is not a JSON object$/],
    ["that is not there", join(directory, "none"), /cannot be read$/],
    ["that is a folder", directory, /is not a regular file$/],
  ] as const) {
    test(`${title} stops the start with the variable, the path and the reason`, () => {
      const error = expect.objectContaining({ code: "bad-configuration", message: expect.stringMatching(reason) });
      expect(() => readOverride("CONTAINER_METADATA_PATH", path)).toThrow(error);
      expect(() => readOverride("CONTAINER_METADATA_PATH", path)).toThrow(
        `CONTAINER_METADATA_PATH is '${path}', which `,
      );
    });
  }
});
