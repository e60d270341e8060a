import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commitOf } from "../../../scripts/distribution/commit.ts";

const MADE = 1_700_000_000;
let folder: string;

function git(...args: string[]): string {
  const who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
  const env = { ...process.env, GIT_COMMITTER_DATE: `${MADE} +0200`, GIT_CONFIG_GLOBAL: "/dev/null" };
  const { success, stdout, stderr } = Bun.spawnSync(["git", ...who, ...args], { cwd: folder, env });
  if (!success) throw new Error(stderr.toString());
  return stdout.toString().trim();
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ecs-local-commit-"));
  git("init", "--quiet");
  writeFileSync(join(folder, "file"), "");
  git("add", "file");
  git("commit", "--quiet", "--message", "first");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a snapshot is named after its commit, and after what was changed since", () => {
  const short = git("rev-parse", "--short=12", "HEAD");
  expect(commitOf(folder, "1.2.3", true)).toEqual({ version: `1.2.3-snapshot.${short}`, made: MADE });
  writeFileSync(join(folder, "file"), "changed");
  expect(commitOf(folder, "1.2.3", true).version).toBe(`1.2.3-snapshot.${short}-dirty`);
});

test("a release is of a commit that is tagged as its version, and of no changed file", () => {
  const release = () => commitOf(folder, "1.2.3", false);
  expect(release).toThrow("package.json is of 1.2.3, and the commit is not tagged v1.2.3");
  git("tag", "v1.2.4");
  expect(release).toThrow("not tagged v1.2.3");
  git("tag", "v1.2.3");
  expect(release()).toEqual({ version: "1.2.3", made: MADE });
  writeFileSync(join(folder, "another"), "");
  expect(release).toThrow("these files are not as the commit has them:\n?? another");
  git("config", "status.showUntrackedFiles", "no");
  expect(release).toThrow("?? another");
});
