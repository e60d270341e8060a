import { afterAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { readJsonObject } from "../../../src/config/json-file.ts";
import { folder } from "../../support/folder.ts";
import { secret } from "../../support/secrets.ts";

const files = folder("json-file");
afterAll(files.remove);

const read = (text: string) => readJsonObject("SOME_FILE", files.write("a.json", text));

describe("a file of JSON", () => {
  test("is an object, with a byte order mark or without", () => {
    expect(read('{"a":1}\n')).toEqual({ a: 1 });
    expect(read('\uFEFF{"a":1}')).toEqual({ a: 1 });
  });
  for (const text of ["[]", "null", '"a"', "1"]) {
    test(`that is ${text} is refused`, () =>
      expect(() => read(text)).toThrow(/^SOME_FILE is '.+', which is not a JSON object/));
  }
  test("that is not JSON is refused with the reason, but no word of it, since it may hold secrets", () => {
    const value = secret("hidden5ecretWord");
    const error = (() => {
      try {
        read(`{"a": ${value}}`);
      } catch (thrown) {
        return `${(thrown as Error).message} ${JSON.stringify(thrown)}`;
      }
      return undefined;
    })();
    expect(error).toContain("which is not JSON: Unexpected identifier");
    expect(error).not.toContain(value);
  });
  test("that does not exist cannot be read", () => {
    const path = `${files.path}/none`;
    expect(() => readJsonObject("SOME_FILE", path)).toThrow(`SOME_FILE is '${path}', which cannot be read`);
  });
  test("is a regular file of at most 4 MiB", () => {
    const [pipe, large] = [`${files.path}/pipe`, files.write("large", " ".repeat(4 * 1024 * 1024 + 1))];
    Bun.spawnSync(["mkfifo", pipe]);
    for (const [path, why] of [
      [files.path, "is not a regular file"],
      [pipe, "is not a regular file"],
      ["/dev/zero", "is not a regular file"],
      [large, "is larger than 4 MiB"],
    ] as const) {
      expect(() => readJsonObject("SOME_FILE", path)).toThrow(`SOME_FILE is '${path}', which ${why}`);
    }
  });
});

describe("a file that is not UTF-8 is refused", () => {
  for (const [title, bytes] of [
    ["Latin-1", Buffer.from('{"a":"é"}', "latin1")],
    ["UTF-16, as PowerShell writes it", Buffer.from('\ufeff{"a":"b"}', "utf16le")],
  ] as const) {
    test(title, () => {
      const path = files.write("odd.json", "");
      writeFileSync(path, bytes);
      expect(() => readJsonObject("SOME_FILE", path)).toThrow(
        `SOME_FILE is '${path}', which is not UTF-8: save it as UTF-8`,
      );
    });
  }
});
