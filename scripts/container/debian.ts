import { existsSync, mkdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import type { Pinned } from "./pins.ts";

const TIMEOUT_MS = 60_000;

/**
 * Gives a Debian package as a file in `folder`, fetched when it is not there.
 *
 * @param env `DEBIAN_MIRROR`, the address of a mirror, on a machine whose apt knows none
 * @throws Error with the remedy when no mirror has the file that is pinned
 */
export async function debianPackage(
  { path, sha256 }: Pinned,
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const file = join(folder, basename(path));
  if (existsSync(file) && digest(await Bun.file(file).bytes()) === sha256) return file;
  const mirrors = env.DEBIAN_MIRROR ? [env.DEBIAN_MIRROR] : mirrorsOfApt();
  const tried: string[] = [];
  for (const mirror of mirrors) {
    const url = `${mirror.replace(/\/+$/, "")}/${path.replaceAll("+", "%2b")}`;
    const found = await download(url, sha256);
    if (typeof found === "string") {
      tried.push(`${url}: ${found}`);
      continue;
    }
    mkdirSync(folder, { recursive: true });
    // Under its name only when it is whole.
    await Bun.write(`${file}.part`, found);
    renameSync(`${file}.part`, file);
    return file;
  }
  const what = `The Debian package ${basename(path)} with the SHA-256 ${sha256} could not be had`;
  const hint =
    mirrors.length === 0
      ? "this machine's apt names no mirror of Debian: set DEBIAN_MIRROR to the address of one (www.debian.org/mirror/list)"
      : "set DEBIAN_MIRROR to another mirror's address, or to one of Debian's snapshot archive, which keeps every version; where Debian has a newer one, change scripts/container/pins.ts";
  throw new Error([what, ...tried, `hint: ${hint}`].join("\n"));
}

/** The addresses that apt has of Debian itself, in its order; before its first update it does not know whose they are. */
function mirrorsOfApt(): string[] {
  if (Bun.which("apt-get") === null) return [];
  const format = "$(ORIGIN) $(REPO_URI)";
  const { stdout } = Bun.spawnSync(["apt-get", "indextargets", "--format", format, "Created-By: Packages"]);
  const lines = stdout.toString().split("\n");
  return [...new Set(lines.flatMap((line) => /^(?:Debian)? (https?:\/\/\S+)$/.exec(line)?.[1] ?? []))];
}

/** The bytes, or why not. */
async function download(url: string, sha256: string): Promise<Uint8Array | string> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!answer.ok) return `status ${answer.status}`;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return digest(bytes) === sha256 ? bytes : `is another file, with the SHA-256 ${digest(bytes)}`;
  } catch (error) {
    return (error as Error).message;
  }
}

export function digest(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

/**
 * Unpacks some files of a package. Debian's own tool needs no other; elsewhere the package is an `ar` archive that holds
 * a tar.
 *
 * @param members paths in the package without a leading slash; folders with all that is in them
 */
export async function unpack(file: string, members: readonly string[], into: string): Promise<void> {
  const tar = Bun.which("dpkg-deb")
    ? Bun.spawnSync(["dpkg-deb", "--fsys-tarfile", file]).stdout
    : dataOf(await Bun.file(file).bytes());
  const names = members.map((member) => `./${member}`);
  const isCompressed = tar[0] === 0xfd;
  const run = Bun.spawnSync(["tar", isCompressed ? "-xJf" : "-xf", "-", "-C", into, ...names], { stdin: tar });
  if (!run.success) throw new Error(`${basename(file)} cannot be unpacked: ${run.stderr.toString().trim()}`);
}

/** `data.tar.xz` of an `ar` archive: a header of 60 bytes stands before each member, which is padded to even length. */
function dataOf(archive: Uint8Array): Uint8Array {
  const text = (from: number, length: number) =>
    new TextDecoder("latin1").decode(archive.subarray(from, from + length)).trim();
  for (let at = 8; at + 60 <= archive.length; ) {
    const size = Number(text(at + 48, 10));
    if (text(at, 16).startsWith("data.tar")) return archive.subarray(at + 60, at + 60 + size);
    at += 60 + size + (size % 2);
  }
  throw new Error("The Debian package holds no data");
}
