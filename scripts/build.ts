/**
 * Writes the program as one file: `bun run build [--outfile=PATH] [--target=bun-linux-arm64]`.
 *
 * Three constants are put in. Source code declares them and guards with `typeof`, since they do not exist when it runs
 * uncompiled:
 *
 *     declare const BUILD_VERSION: string | undefined; // package.json's, "0.1.0"
 *     declare const BUILD_COMMIT: string | undefined; // "1a2b3c4d5e6f", "-dirty" behind it when files were changed
 *     declare const BUILD_TARGET: string | undefined; // "bun-linux-x64"
 *
 * The file must not go through `strip` or `upx` afterwards: the first cuts the program off, the second breaks it.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import manifest from "../package.json";

const root = resolve(import.meta.dir, "..");

const { values } = parseArgs({
  options: {
    outfile: { type: "string", default: resolve(root, "dist/ecs-local-endpoints") },
    target: { type: "string", default: `bun-${process.platform}-${process.arch}` },
  },
});

const git = Bun.which("git")
  ? Bun.spawnSync(["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"], {
      cwd: root,
      stderr: "ignore",
    })
  : undefined;
const commit = git?.success ? git.stdout.toString().trim() : "";

const constants: Record<string, string> = { BUILD_VERSION: manifest.version, BUILD_TARGET: values.target };
if (commit) constants.BUILD_COMMIT = commit;

const build = Bun.spawnSync(
  [
    process.execPath,
    "build",
    resolve(root, "src/main.ts"),
    `--outfile=${resolve(values.outfile)}`,
    "--compile",
    `--target=${values.target}`,
    // Together these make the first answer come soonest; splitting keeps the AWS SDK unread until it is needed.
    "--production",
    "--splitting",
    "--bytecode",
    "--format=esm",
    // The program hands out credentials: no file of the current folder may change its environment or its code.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    ...Object.entries(constants).flatMap(([name, value]) => ["--define", `${name}=${JSON.stringify(value)}`]),
  ],
  { cwd: root, stdout: "inherit", stderr: "inherit" },
);
process.exit(build.exitCode);
