import { readFileSync, statSync } from "node:fs";
import { AppError } from "../../errors.ts";
import { beyondUs } from "./own-limit.ts";

const BYTES_MAX = 4_000_000;

/**
 * A file as text, without its byte order mark, which says where it is UTF-16, as PowerShell writes.
 *
 * @throws AppError `command-failed` with the path and why: not there, no regular file, more than 4 MB
 */
export function readText(path: string): string {
  refuseUnreadable(path);
  const bytes = attempt(path, () => readFileSync(path));
  const [first, second] = bytes;
  const isUtf16 = first === 0xff && second === 0xfe;
  return new TextDecoder(isUtf16 ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8").decode(bytes);
}

/** Before it is opened: a pipe would keep us, a device would have no end. */
export function refuseUnreadable(path: string): void {
  const stat = attempt(path, () => statSync(path));
  const why = stat.isFile() ? stat.size > BYTES_MAX && "is larger than 4 MB" : "is not a regular file";
  if (why) throw beyondUs(`${path} ${why}`, "name a file that Compose takes");
}

function attempt<T>(path: string, what: () => T): T {
  try {
    return what();
  } catch (cause) {
    throw new AppError("command-failed", `${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
    });
  }
}
