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
