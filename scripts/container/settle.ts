import { chmodSync, readdirSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { digest } from "./debian.ts";

/**
 * Makes a tree the same whoever stages it and when: modes are not the umask's, and a file's time goes by what is in it.
 *
 * Not one time for all: BuildKit takes a file with the size and the time of the last build's for that file, and puts the old
 * program into the image.
 *
 * @param isExecutable of a path in the tree
 */
export async function settle(tree: string, isExecutable: (path: string) => boolean): Promise<void> {
  for (const path of [".", ...(readdirSync(tree, { recursive: true }) as string[])]) {
    const file = join(tree, path);
    const isFolder = statSync(file).isDirectory();
    chmodSync(file, isFolder || isExecutable(path) ? 0o755 : 0o644);
    // Of 1970: 24 bits are seconds of its first half.
    const time = isFolder ? 0 : Number.parseInt(digest(await Bun.file(file).bytes()).slice(0, 6), 16);
    utimesSync(file, time, time);
  }
}
