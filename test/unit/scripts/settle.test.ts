import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settle } from "../../../scripts/container/settle.ts";

let tree: string;
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), "ecs-local-settle-"));
  mkdirSync(join(tree, "doc"), { mode: 0o700 });
});
afterEach(() => rmSync(tree, { recursive: true }));

async function settled(program: string) {
  writeFileSync(join(tree, "program"), program, { mode: 0o600 });
  writeFileSync(join(tree, "doc/terms"), "terms", { mode: 0o777 });
  await settle(tree, (path) => path === "program");
  return ["", "program", "doc", "doc/terms"].map((path) => {
    const { mode, mtimeMs } = statSync(join(tree, path));
    return [path, (mode & 0o777).toString(8), mtimeMs] as const;
  });
}

test("modes and times of a staged tree are the same each time", async () => {
  const first = await settled("first");
  expect(first.map(([path, mode]) => [path, mode])).toEqual([
    ["", "755"],
    ["program", "755"],
    ["doc", "755"],
    ["doc/terms", "644"],
  ]);
  await Bun.sleep(10);
  expect(await settled("first")).toEqual(first);
});

test("a program of the same size that is another has another time, by which a builder knows it", async () => {
  const [first, second] = [await settled("first"), await settled("other")];
  expect(second[1]?.[2]).not.toBe(first[1]?.[2]);
  expect([second[0], second[2], second[3]]).toEqual([first[0], first[2], first[3]]);
});
