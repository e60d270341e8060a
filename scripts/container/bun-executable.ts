import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { packageManager } from "../../package.json";
import { digest } from "./debian.ts";
import { type Arch, PLATFORMS } from "./pins.ts";

/**
 * Bun of another platform than ours, which the compiler puts the program into.
 *
 * The compiler would fetch one by itself, and take what it gets. Ours stays in `.tools`, so that the second build needs
 * no network, and is held against a checksum.
 *
 * @returns undefined where it is the Bun that runs this
 * @throws Error where it cannot be fetched, or is another than the one that is pinned
 */
export async function bunExecutable(root: string, arch: Arch): Promise<string | undefined> {
  if (process.platform === "linux" && process.arch === (arch === "amd64" ? "x64" : "arm64")) return undefined;
  const { bunPackage, bunSha256 } = PLATFORMS[arch];
  const folder = join(root, ".tools", `bun-linux-${arch}`);
  const file = join(folder, "node_modules", bunPackage, "bin/bun");
  const version = packageManager.slice("bun@".length);
  if (!(await isPinned(file, bunSha256))) {
    mkdirSync(folder, { recursive: true });
    // Without a package of its own, Bun would install into ours.
    await Bun.write(join(folder, "package.json"), "{}\n");
    const cpu = arch === "amd64" ? "x64" : "arm64";
    const args = ["install", "--no-save", "--force", "--os=linux", `--cpu=${cpu}`, `${bunPackage}@${version}`];
    const install = Bun.spawnSync([process.execPath, ...args], { cwd: folder, stdout: "ignore", stderr: "pipe" });
    if (!install.success) {
      throw new Error(`${bunPackage} ${version} could not be fetched:\n${install.stderr.toString().trim()}`);
    }
  }
  if (await isPinned(file, bunSha256)) return file;
  throw new Error(
    `${file} is not the one that is pinned\nhint: when Bun has changed, change scripts/container/pins.ts as well`,
  );
}

async function isPinned(file: string, sha256: string): Promise<boolean> {
  return existsSync(file) && digest(await Bun.file(file).bytes()) === sha256;
}
