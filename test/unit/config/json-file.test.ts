import { afterAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { placeOfFault, readJsonObject } from "../../../src/config/json-file.ts";
import { folder } from "../../support/folder.ts";
import { secret } from "../../support/secrets.ts";

const files = folder("json-file");
afterAll(files.remove);

const read = (text: string) => readJsonObject("SOME_FILE", files.write("a.json", text));

describe("the place where a text stops being JSON", () => {
  for (const [text, place] of [
    ["", "line 1, column 1"],
    ["  ", "line 1, column 3"],
    ['{"a":1,}', "line 1, column 8"],
    ['{"a":\n  "b" "c"}', "line 2, column 7"],
    ['{"a":\r\n  tru}', "line 2, column 3"],
    ['{"a":"x\n"}', "line 1, column 6"],
    ["[1 2]", "line 1, column 4"],
    ["[1,]", "line 1, column 4"],
    ["{a:1}", "line 1, column 2"],
    ['{"a" 1}', "line 1, column 6"],
    ['{"a":01}', "line 1, column 7"],
    ['{"a":"\\x"}', "line 1, column 6"],
    ['{"a":[{"b":"é"},\n\n{"c":}]}', "line 3, column 6"],
    ["{} {}", "line 1, column 4"],
    ['{"a":1', "line 1, column 7"],
    ['{"a":"\u007f"] ', "line 1, column 9"],
  ] as const) {
    test(`${JSON.stringify(text)}: ${place}`, () => expect(placeOfFault(text)).toBe(place));
  }

  test("is behind what is JSON, whatever that is", () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom("", " "), (json, gap) => {
        expect(placeOfFault(`[${json}${gap}!]`)).toBe(`line 1, column ${json.length + gap.length + 2}`);
      }),
    );
  });
});

describe("a file of JSON", () => {
  test("is an object, with a byte order mark or without", () => {
    expect(read('{"a":1}\n')).toEqual({ a: 1 });
    expect(read('\uFEFF{"a":1}')).toEqual({ a: 1 });
  });
  for (const text of ["[]", "null", '"a"', "1"]) {
    test(`that is ${text} is refused`, () =>
      expect(() => read(text)).toThrow(/^SOME_FILE is '.+', which holds no JSON/));
  }
  test("that is none is refused with the place and the reason", () => {
    expect(() => read('{\n "a" "b"}')).toThrow(/which is not JSON \(line 2, column 6: Expected .+\)$/);
  });
  test("that is none is not quoted, since it may hold secrets", () => {
    const value = secret("hidden5ecretWord");
    const error = (() => {
      try {
        read(`{"a": ${value}}`);
      } catch (thrown) {
        return `${(thrown as Error).message} ${JSON.stringify(thrown)}`;
      }
      return undefined;
    })();
    expect(error).toContain("line 1, column 7");
    expect(error).not.toContain(value);
  });
  for (const path of [`${files.path}/none`, files.path]) {
    test(`at ${path === files.path ? "a folder" : "no file"} cannot be read`, () => {
      expect(() => readJsonObject("SOME_FILE", path)).toThrow(`SOME_FILE is '${path}', which cannot be read`);
    });
  }
});

describe("a file that is no UTF-8 says so", () => {
  for (const [title, bytes] of [
    ["Latin-1", Buffer.from('{"a":"é"}', "latin1")],
    ["UTF-16, as PowerShell writes it", Buffer.from('\ufeff{"a":"b"}', "utf16le")],
  ] as const) {
    test(title, () => {
      const path = files.write("odd.json", "");
      writeFileSync(path, bytes);
      expect(() => readJsonObject("SOME_FILE", path)).toThrow(
        `SOME_FILE is '${path}', which is not UTF-8: save it as that`,
      );
    });
  }
});
