import { join } from "node:path";

/**
 * Runs a program of this project by the Bun that runs this one. No file of the current folder changes what it does, nor does
 * a `.env` of ours, as little as for `scripts/release` itself.
 *
 * @param root folder of the project
 * @param file in it
 */
export function runOwn(root: string, file: string, ...args: string[]) {
  const flags = [`--config=${join(root, "bunfig.toml")}`, `--tsconfig-override=${join(root, "tsconfig.json")}`];
  const command = [process.execPath, "--no-env-file", ...flags, join(root, file), ...args];
  return Bun.spawnSync(command, { cwd: root, stderr: "pipe" });
}
