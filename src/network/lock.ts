import { Database } from "bun:sqlite";
import { closeSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../errors.ts";
import { FOLDER, makeFolder } from "./state.ts";

const WAIT_MS = 10_000;
const RETRY_MS = 50;

/**
 * Waits until no other process runs a network command. SQLite's lock on an empty file is the kernel's, so it ends with
 * its process. The file stays: a removed one could be locked twice.
 *
 * @returns releases the lock
 * @throws AppError `network-failed` after 10 s
 */
export async function acquireLock(path = `${FOLDER}/lock`, waitMs = WAIT_MS): Promise<() => void> {
  makeFolder(dirname(path));
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw failed(`${path} cannot be created`, cause);
  }
  for (const until = performance.now() + waitMs; ; await Bun.sleep(RETRY_MS)) {
    let database: Database | undefined;
    try {
      const opened = new Database(path);
      database = opened;
      opened.run("PRAGMA journal_mode=OFF");
      opened.run("BEGIN EXCLUSIVE");
      return () => opened.close();
    } catch (cause) {
      database?.close();
      if ((cause as NodeJS.ErrnoException).code !== "SQLITE_BUSY") throw failed(`${path} cannot be locked`, cause);
      if (performance.now() < until) continue;
      throw new AppError("network-failed", "another network command of this program is running", {
        hint: "wait until it has ended and run this again",
        cause,
      });
    }
  }
}

function failed(text: string, cause: unknown): AppError {
  return new AppError("network-failed", `${text}: ${(cause as Error).message}`, { hint: "make /run writable", cause });
}
