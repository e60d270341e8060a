import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { BUILD_FLAGS } from "../build-flags.ts";

const root = resolve(import.meta.dir, "../..");

export interface Binaries {
  readonly ours: string;
  readonly bare: string;
}

/** The compiled program, built when it is missing, and the bare server, built into `folder`. */
export function prepareBinaries(folder: string): Binaries {
  const ours = join(root, "dist/ecs-local-endpoints");
  if (!existsSync(ours)) run("run", "build");
  if (isStale(ours)) console.warn("dist/ecs-local-endpoints is older than src: `bun run build` makes it new");
  const bare = join(folder, "bare");
  run("build", join(import.meta.dir, "bare.ts"), `--outfile=${bare}`, ...BUILD_FLAGS);
  return { ours, bare };
}

function isStale(binary: string): boolean {
  const builtAtMs = statSync(binary).mtimeMs;
  const sources = new Bun.Glob("src/**/*.ts").scanSync({ cwd: root, absolute: true });
  return [...sources].some((source) => statSync(source).mtimeMs > builtAtMs);
}

function run(...args: string[]): void {
  const done = Bun.spawnSync([process.execPath, ...args], { cwd: root, stdout: "ignore", stderr: "inherit" });
  if (!done.success) throw new Error(`bun ${args.join(" ")} failed`);
}
