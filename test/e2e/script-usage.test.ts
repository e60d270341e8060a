import { describe, expect, test } from "bun:test";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

function run(script: string, ...args: string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([join(root, "scripts", script), ...args], { cwd: "/" });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

const WRONG = [
  ["image", ["--bogus"], "Unknown option '--bogus'"],
  ["image", ["--arch", "riscv"], "--arch is 'riscv', which is not one of amd64, arm64"],
  ["image", ["--tag="], "--tag is empty"],
  ["release", ["--bogus"], "Unknown option '--bogus'"],
  ["release", ["--snapshot", "now"], "Unexpected argument 'now'."],
  ["release", ["--snapshot", "--out="], "--out is empty"],
  ["release", ["--snapshot", "--targets"], "Option '--targets <value>' argument missing"],
] as const;

for (const script of ["image", "release"]) {
  describe(`scripts/${script}`, () => {
    test("prints its usage", () => {
      const { exitCode, stdout, stderr } = run(script, "--help");
      expect([exitCode, stderr]).toEqual([0, ""]);
      expect(stdout).toStartWith(`Usage: scripts/${script} [`);
      expect(run(script, "--bogus", "-h")).toEqual({ exitCode, stdout, stderr });
    });

    for (const [, args, why] of WRONG.filter(([of]) => of === script)) {
      test(`refuses ${args.join(" ")} in one line, and ends with 2`, () => {
        const { exitCode, stdout, stderr } = run(script, ...args);
        expect([exitCode, stdout]).toEqual([2, ""]);
        expect(stderr).toStartWith(`${script}: ${why}`);
        expect(stderr).toMatch(/^[^\n]+ \(see --help\)\n$/);
      });
    }
  });
}

test("the build refuses what it does not know likewise", () => {
  const run = Bun.spawnSync([process.execPath, join(root, "scripts/build.ts"), "--bogus"]);
  expect([run.exitCode, run.stderr.toString()]).toEqual([2, "build: Unknown option '--bogus' (see --help)\n"]);
});
