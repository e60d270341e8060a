import { closeSync, openSync, readSync } from "node:fs";
import type { Target } from "../../scripts/distribution/targets.ts";

const MACHINES: Readonly<Record<string, string>> = {
  "elf 62": "linux-x64",
  "elf 183": "linux-arm64",
  "mach-o 16777223": "darwin-x64",
  "mach-o 16777228": "darwin-arm64",
};

/** The libraries that a program for Linux names, with the loader, in order. */
export const NEEDS: Readonly<Record<"glibc" | "musl", Readonly<Record<Target["arch"], string[]>>>> = {
  glibc: {
    x64: needs("lib64/ld-linux-x86-64.so.2", "ld-linux-x86-64.so.2"),
    arm64: needs("lib/ld-linux-aarch64.so.1", "ld-linux-aarch64.so.1"),
  },
  musl: {
    x64: ["lib/ld-musl-x86_64.so.1", "libc.musl-x86_64.so.1", "libstdc++.so.6"],
    arm64: ["lib/ld-musl-aarch64.so.1", "libc.musl-aarch64.so.1", "libstdc++.so.6"],
  },
};

function needs(...loader: string[]): string[] {
  return [...loader, "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"].sort();
}

export function platformOf({ os, arch }: Target): string {
  return `${os}-${arch}`;
}

/** The system and processor that the head of an executable file names. */
export function headerOf(file: string): string {
  const head = Buffer.alloc(20);
  const opened = openSync(file, "r");
  readSync(opened, head);
  closeSync(opened);
  const kind =
    head.readUInt32BE(0) === 0x7f454c46
      ? `elf ${head.readUInt16LE(18)}`
      : head.readUInt32LE(0) === 0xfeedfacf
        ? `mach-o ${head.readUInt32LE(4)}`
        : "neither ELF nor Mach-O of 64 bits";
  return MACHINES[kind] ?? kind;
}

/** The newest version of glibc of which the program names a symbol. */
export function glibcOf(file: string): string | undefined {
  const { stdout } = Bun.spawnSync(["readelf", "--version-info", "--wide", file]);
  const versions = [...stdout.toString().matchAll(/GLIBC_(\d+\.\d+)/g)].map(([, version = ""]) => version);
  const minor = (version: string) => Number(version.split(".")[1]);
  return versions.sort((a, b) => minor(a) - minor(b)).at(-1);
}

/** What is wrong with the signature of a program for macOS, by the hashes that it has of each page. */
export function signatureFaults(program: Buffer): string[] {
  let command = 32;
  while (program.readUInt32LE(command) !== 0x1d) command += program.readUInt32LE(command + 4);
  const [offset, size] = [program.readUInt32LE(command + 8), program.readUInt32LE(command + 12)];
  const directory = program.subarray(offset + program.readUInt32BE(offset + 16));
  const word = (index: number) => directory.readUInt32BE(index * 4);
  const [hashes, pages, limit, page] = [word(4), word(7), word(8), 2 ** (directory[39] ?? 0)];
  if (word(0) !== 0xfade0c02) return ["there is no code directory"];
  const faults: string[] = [];
  if (word(3) !== 0x20002) faults.push(`the flags are ${word(3).toString(16)}`);
  if (offset + size !== program.length) faults.push(`it ends at ${offset + size} of ${program.length}`);
  if (limit !== offset) faults.push(`it is of ${limit} bytes of ${offset}`);
  for (let index = 0; index < pages; index += 1) {
    const bytes = program.subarray(index * page, Math.min((index + 1) * page, limit));
    const hash = new Bun.CryptoHasher("sha256").update(bytes).digest();
    if (!hash.equals(directory.subarray(hashes + index * 32, hashes + index * 32 + 32)))
      faults.push(`page ${index} differs`);
  }
  return faults;
}
