import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { packageManager } from "../../package.json";
import { digest } from "./debian.ts";
import { type Arch, PLATFORMS } from "./pins.ts";

export interface PinnedBun {
  readonly bunPackage: string;
  /** Of the executable in the package. */
  readonly bunSha256: string;
  /** As the package names them. */
  readonly os: string;
  readonly cpu: string;
}

/**
 * Bun of another platform than ours, which the compiler puts the program into.
 *
 * @returns undefined where it is the Bun that runs this
 * @throws Error where it cannot be fetched, or is another than the one that is pinned
 */
export async function bunExecutable(root: string, arch: Arch): Promise<string | undefined> {
  const cpu = arch === "amd64" ? "x64" : "arm64";
  if (process.platform === "linux" && process.arch === cpu) return undefined;
  const { bunPackage, bunSha256 } = PLATFORMS[arch];
  return pinnedBun(root, { bunPackage, bunSha256, os: "linux", cpu });
}

/**
 * The Bun that is pinned for a platform, as a file.
 *
 * The compiler would fetch one by itself, and take what it gets. Ours stays in `.tools`, so that the second build needs
 * no network, and is held against a checksum.
 *
 * @throws Error where it cannot be fetched, or is another than the one that is pinned
 */
export async function pinnedBun(root: string, { bunPackage, bunSha256, os, cpu }: PinnedBun): Promise<string> {
  if (await isPinned(process.execPath, bunSha256)) return process.execPath;
  const folder = join(root, ".tools", bunPackage.slice("@oven/".length));
  const file = join(folder, "node_modules", bunPackage, "bin/bun");
  const version = packageManager.slice("bun@".length);
  if (!(await isPinned(file, bunSha256))) {
    mkdirSync(folder, { recursive: true });
    // Without a package of its own, Bun would install into ours.
    await Bun.write(join(folder, "package.json"), "{}\n");
    const args = ["install", "--no-save", "--force", `--os=${os}`, `--cpu=${cpu}`, `${bunPackage}@${version}`];
    const install = Bun.spawnSync([process.execPath, ...args], { cwd: folder, stdout: "ignore", stderr: "pipe" });
    if (!install.success) {
      throw new Error(`${bunPackage} ${version} could not be fetched:\n${install.stderr.toString().trim()}`);
    }
  }
  if (await isPinned(file, bunSha256)) return file;
  throw new Error(`${file} is not the one that is pinned\nhint: when Bun has changed, change its checksum as well`);
}

async function isPinned(file: string, sha256: string): Promise<boolean> {
  return existsSync(file) && digest(await Bun.file(file).bytes()) === sha256;
}
