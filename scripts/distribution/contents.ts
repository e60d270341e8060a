import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pinnedBun } from "../container/bun-executable.ts";
import { type Bundled, bundledPackages } from "../licenses/bundled.ts";
import { thirdPartyText } from "../licenses/third-party.ts";
import { runOwn } from "../run-own.ts";
import { signed } from "./macho.ts";
import type { Member } from "./tar.ts";
import { PROGRAM, type Target } from "./targets.ts";

/**
 * Compiles the program for a target, in a folder that is made for it.
 *
 * @returns its bytes, and the packages that are in it
 */
export async function compile(root: string, target: Target, folder: string) {
  mkdirSync(folder);
  // Always of this name, which is in the bytes.
  const [outfile, metafile] = [join(folder, PROGRAM), join(folder, "metafile.json")];
  const executable = await pinnedBun(root, target.bun);
  const args = [
    `--outfile=${outfile}`,
    `--target=bun-${target.name}`,
    `--executable=${executable}`,
    `--metafile=${metafile}`,
  ];
  const build = runOwn(root, "scripts/build.ts", ...args);
  if (!build.success) throw new Error(`${target.name} could not be compiled:\n${build.stderr.toString().trim()}`);
  const compiled = await Bun.file(outfile).bytes();
  const program = target.name === "darwin-x64" ? signed(compiled, PROGRAM) : compiled;
  return { program, packages: await bundledPackages(root, metafile) };
}

/** What is in every archive. */
export async function sharedMembers(root: string): Promise<Member[]> {
  return Promise.all(pages(root).map((path) => member(root, path)));
}

/** What README.md leads to, so that it does in the archive too. */
function pages(root: string): string[] {
  const kept = ["LICENSE", ":(glob)*.md", "docs", "examples"];
  const git = Bun.spawnSync(["git", "ls-files", "-z", "--", ...kept], { cwd: root, stderr: "inherit" });
  if (!git.success) throw new Error("git does not list the files of this folder");
  return git.stdout.toString().split("\0").filter(Boolean);
}

/** What is in the archive of one target alone. */
export async function ownMembers(
  root: string,
  target: Target,
  program: Uint8Array,
  packages: readonly Bundled[],
): Promise<Member[]> {
  const service = target.os === "linux" ? `${PROGRAM}@.service` : `${PROGRAM}.plist`;
  return [
    { path: PROGRAM, bytes: program, isExecutable: true },
    { path: "THIRD-PARTY.txt", bytes: Buffer.from(await thirdPartyText(root, packages)) },
    await member(root, `packaging/${service}`),
  ];
}

async function member(root: string, path: string): Promise<Member> {
  return { path, bytes: await Bun.file(join(root, path)).bytes() };
}
