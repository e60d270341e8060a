import { afterAll, expect, test } from "bun:test";
import { renameSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { stampOf } from "../../../src/config/watched-files.ts";
import { folder } from "../../support/folder.ts";

const files = folder("stamp");
afterAll(files.remove);

test("a stamp is the same for as long as the file is, and another once it is written, replaced or gone", () => {
  const path = files.write("a", "one");
  const seen = [stampOf(path)];
  expect(stampOf(path)).toBe(seen[0] as string);
  files.write("a", "three");
  seen.push(stampOf(path));
  const time = new Date(1_000_000);
  for (const file of [path, files.write("b", "three")]) utimesSync(file, time, time);
  seen.push(stampOf(path));
  renameSync(join(files.path, "b"), path);
  seen.push(stampOf(path));
  rmSync(path);
  seen.push(stampOf(path));
  expect(new Set(seen).size).toBe(5);
  expect(seen.at(-1)).toBe("-");
});

test("the stamp of a link is that of the file which it leads to", () => {
  const link = join(files.path, "link");
  symlinkSync(files.write("c", "one"), link);
  const before = stampOf(link);
  rmSync(link);
  symlinkSync(files.write("d", "two"), link);
  expect(stampOf(link)).not.toBe(before);
});
