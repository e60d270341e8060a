import { dlopen } from "bun:ffi";
import { readFileSync, rmSync, symlinkSync, writeSync } from "node:fs";

const F_ADD_SEALS = 1033;
const SEAL_SHRINK_GROW_WRITE = 0x2 | 0x4 | 0x8;
const MFD_ALLOW_SEALING = 2;

/**
 * Makes a file one that can be read and not be written, by root neither and without any privilege: a link to a memory
 * file of the kernel's that is sealed. Removing the file and writing a new one works as ever.
 */
export function makeUnwritable(file: string): void {
  const libc = dlopen("libc.so.6", {
    memfd_create: { args: ["buffer", "u32"], returns: "i32" },
    fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  });
  const descriptor = libc.symbols.memfd_create(Buffer.from("unwritable\0"), MFD_ALLOW_SEALING);
  if (descriptor < 0) throw new Error("this machine has no memfd");
  writeSync(descriptor, readFileSync(file));
  if (libc.symbols.fcntl(descriptor, F_ADD_SEALS, SEAL_SHRINK_GROW_WRITE) !== 0) throw new Error("cannot be sealed");
  rmSync(file);
  symlinkSync(`/proc/${process.pid}/fd/${descriptor}`, file);
}
