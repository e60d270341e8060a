/**
 * Writes the program as one file: see `bun run build --help`.
 *
 * Two constants are put in. Source code declares them and guards with `typeof`, since they do not exist when it runs
 * uncompiled:
 *
 *     declare const BUILD_COMMIT: string | undefined; // "1a2b3c4d5e6f", "-dirty" behind it when files were changed
 *     declare const BUILD_TARGET: string | undefined; // "bun-linux-x64"
 *
 * The same source gives the same bytes under the same name: the name alone goes in, not the folder.
 * The file must not go through `strip` or `upx` afterwards: the first cuts the program off, the second breaks it.
 */
import { resolve } from "node:path";
import { BUILD_FLAGS } from "./build-flags.ts";
import { readOptions, runScript } from "./command-line.ts";

const root = resolve(import.meta.dir, "..");

const USAGE = `Usage: bun run build [--outfile=PATH] [--target=NAME] [--executable=PATH] [--metafile=PATH] [--help]

Writes the program as one file.

  --outfile PATH     without it dist/ecs-local-endpoints
  --target NAME      as Bun names it, bun-linux-arm64; without it, this machine's
  --executable PATH  the target's Bun, where it is not to be downloaded
  --metafile PATH    where to write what went in
  --help             print this
`;

async function main(): Promise<void> {
  const values = readOptions({
    outfile: { type: "string", default: resolve(root, "dist/ecs-local-endpoints") },
    executable: { type: "string" },
    metafile: { type: "string" },
    target: { type: "string", default: `bun-${process.platform}-${process.arch}` },
  });
  const git = Bun.which("git")
    ? Bun.spawnSync(["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"], {
        cwd: root,
        stderr: "ignore",
      })
    : undefined;
  const commit = git?.success ? git.stdout.toString().trim() : "";

  const constants: Record<string, string> = { BUILD_TARGET: values.target };
  if (commit) constants.BUILD_COMMIT = commit;

  const build = Bun.spawnSync(
    [
      process.execPath,
      "build",
      resolve(root, "src/main.ts"),
      `--outfile=${resolve(values.outfile)}`,
      `--target=${values.target}`,
      ...BUILD_FLAGS,
      ...(values.executable ? [`--compile-executable-path=${resolve(values.executable)}`] : []),
      ...(values.metafile ? [`--metafile=${resolve(values.metafile)}`] : []),
      ...Object.entries(constants).flatMap(([name, value]) => ["--define", `${name}=${JSON.stringify(value)}`]),
    ],
    { cwd: root, stdout: "inherit", stderr: "inherit" },
  );
  process.exit(build.exitCode);
}

runScript("build", USAGE, main);
