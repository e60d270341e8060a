import { statSync } from "node:fs";
import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";

const LOOK_EVERY_MS = 1_000;

/** A file of the configuration that is read again when it has changed. */
export interface WatchedFile {
  readonly variable: string;
  readonly path: string;
  /** Reads and applies it. Throws AppError `bad-configuration` and changes nothing if it cannot be used. */
  readonly read: () => void;
}

interface FileWatch {
  /** Reads what has changed since the last look. Called once a second from within. */
  readonly look: () => void;
  readonly close: () => void;
}

/**
 * Reads files, and again whenever one has changed: within a second, by their versions, as a bind mount loses the kernel's
 * notices. A change that breaks a file is logged once, and the former content stays in use.
 *
 * @throws AppError `bad-configuration` with every problem of all files, if one cannot be used at the start
 */
export function watchFiles(files: readonly WatchedFile[], log: Log): FileWatch {
  const watched = files.map((file) => ({ file, stamp: stampOf(file.path), broken: undefined as string | undefined }));
  const problems = files.flatMap((file) => problemOf(file) ?? []);
  if (problems.length > 0) {
    const text = problems.map(({ publicMessage }) => publicMessage).join("\n");
    throw new AppError("bad-configuration", text, { cause: problems[0] });
  }

  function look(): void {
    for (const one of watched) {
      const { variable, path } = one.file;
      // Before it is read: what changes meanwhile is seen at the next look.
      const stamp = stampOf(path);
      if (stamp === one.stamp) continue;
      one.stamp = stamp;
      const cause = problemOf(one.file)?.publicMessage.replaceAll("\n", "; ");
      if (cause === undefined) {
        log.info(one.broken ? "a corrected file is used again" : "a changed file is used", { variable, path });
      } else if (cause !== one.broken) {
        log.warning("a changed file cannot be used; its former content stays in use", { variable, path, cause });
      }
      one.broken = cause;
    }
  }

  const timer = files.length === 0 ? undefined : setInterval(look, LOOK_EVERY_MS);
  timer?.unref();
  return { look, close: () => clearInterval(timer) };
}

function problemOf(file: WatchedFile): AppError | undefined {
  try {
    file.read();
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error;
    // An unexpected error in a changed file must not end the server.
    const text = `${file.variable} is '${file.path}', which cannot be used`;
    return new AppError("bad-configuration", text, { cause: error });
  }
}

/**
 * What differs once a file has changed, found without reading it; `-` if there is none. Of what a link leads to, so
 * that a link which leads elsewhere is a change.
 */
export function stampOf(path: string): string {
  try {
    const facts = statSync(path);
    return `${facts.mtimeMs},${facts.ctimeMs},${facts.size},${facts.ino}`;
  } catch {
    return "-";
  }
}
