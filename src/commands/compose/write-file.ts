import { existsSync, lstatSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { AppError } from "../../errors.ts";
import type { CommandOutput } from "../../text.ts";
import { isOurs } from "./find-files.ts";

/**
 * Writes the file, whole or not at all where it takes another's place, which has to be one that was written here. One that
 * says the same already is left alone.
 *
 * @param target `-` for standard output
 * @throws AppError `command-failed`
 */
export function written(
  target: string,
  text: string,
  options: { cwd: string; force: boolean | undefined },
  stderr: readonly string[],
): CommandOutput {
  if (target === "-") return { stdout: [text], stderr };
  const path = resolve(options.cwd, target);
  if (isOther(path)) {
    throw new AppError("command-failed", `${target} is neither a regular file nor a link to one`, {
      hint: "name another with --output, or - for stdout",
    });
  }
  // An empty one holds nothing to lose.
  if (existsSync(path) && statSync(path).size > 0 && !isOurs(path)) {
    throw new AppError("command-failed", `${target} exists and was not written by compose`, {
      hint: "name another with --output",
    });
  }
  if (isAlready(path, text)) return { stdout: [], stderr: [`${target} is up to date`, ...stderr] };
  try {
    if (options.force) replace(path, text);
    else writeFileSync(path, text, { flag: "wx" });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "EEXIST") {
      const options = code === "ENOENT" ? { cause, hint: "make its folder first" } : { cause };
      throw new AppError("command-failed", `${target} cannot be written (${code})`, options);
    }
    throw new AppError("command-failed", `${target} exists`, {
      hint: "write over it with --force, name another with --output, or see it with --output -",
    });
  }
  return { stdout: [], stderr: [`wrote ${target}`, ...stderr] };
}

/** Whether there is what no file may take the place of: a device, a pipe, a folder, or a link to one or to nothing. */
function isOther(path: string): boolean {
  try {
    const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
    return isThere && !statSync(path, { throwIfNoEntry: false })?.isFile();
  } catch {
    // Writing it reports why it cannot be read.
    return false;
  }
}

function isAlready(path: string, text: string): boolean {
  try {
    const { size } = statSync(path);
    return size === Buffer.byteLength(text) && readFileSync(path, "utf8") === text;
  } catch {
    // It does not exist, or writing it reports why it cannot be read.
    return false;
  }
}

/** A link is replaced too, not what it leads to. */
function replace(path: string, text: string): void {
  const beside = `${path}.${crypto.randomUUID()}`;
  try {
    writeFileSync(beside, text, { flag: "wx" });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
