import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFolder, readState, writeState } from "../../../src/network/state.ts";

const root = mkdtempSync(join(tmpdir(), "folder-"));
afterAll(() => rmSync(root, { recursive: true }));

function removed(path: string): string {
  rmSync(path, { recursive: true });
  return path;
}

const isRoot = process.geteuid?.() === 0;

test("the folder is made, once, for its owner alone to write to", () => {
  const path = join(root, "made");
  makeFolder(path);
  makeFolder(path);
  expect(statSync(path).mode & 0o777).toBe(0o755);
});

describe("a folder is refused, with the reason and the remedy,", () => {
  const wrong: readonly (readonly [title: string, said: string, make: (path: string) => void])[] = [
    ["that others can write to", "can be written to by others (mode 777)", (path) => chmodSync(path, 0o777)],
    ["that is a file", "is no folder", (path) => writeFileSync(removed(path), "")],
    ["that is a link to one", "is no folder", (path) => symlinkSync(join(root, "made"), removed(path))],
    ["that is another user's", "belongs to the user 65534", (path) => chownSync(path, 65_534, 65_534)],
  ];
  for (const [index, [title, said, make]] of wrong.entries()) {
    const canBe = isRoot || !said.includes("65534");
    test.skipIf(!canBe)(`${title}${canBe ? "" : " (skipped: needs root)"}`, () => {
      const path = join(root, String(index));
      mkdirSync(path);
      make(path);
      const refusal = expect.objectContaining({
        code: "network-failed",
        message: `${path} ${said}, so what it says of the network's rules is not trusted`,
        hint: expect.stringContaining(`rm -r ${path}`),
      }) as Error;
      expect(() => readState(join(path, "1.json"), "this")).toThrow(refusal);
      expect(() => writeState(join(path, "1.json"), undefined)).toThrow(refusal);
    });
  }
});
