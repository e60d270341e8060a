import { Database } from "bun:sqlite";
import { closeSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../errors.ts";
import { FOLDER, makeFolder } from "./state.ts";

const PATH = `${FOLDER}/lock`;
const WAIT_MS = 10_000;
const AGAIN_MS = 50;

/**
 * Waits until no other process changes the network's rules by this program. SQLite's lock on an empty file is the one of the
 * kernel's that the runtime offers: it is free as soon as its process is gone, however that ended, and only who may open the file
 * can take it. The file stays, because one that is removed could be locked by two.
 *
 * @returns what lets the next one in
 * @throws AppError `network-failed` after 10 s
 */
export async function takeTurn(path = PATH, waitMs = WAIT_MS): Promise<() => void> {
  makeFolder(dirname(path));
  makeFile(path);
  for (const until = performance.now() + waitMs; ; await Bun.sleep(AGAIN_MS)) {
    let database: Database | undefined;
    try {
      const opened = new Database(path);
      database = opened;
      opened.run("PRAGMA journal_mode=OFF");
      opened.run("BEGIN EXCLUSIVE");
      return () => opened.close();
    } catch (cause) {
      database?.close();
      const isBusy = (cause as { code?: unknown }).code === "SQLITE_BUSY";
      if (isBusy && performance.now() < until) continue;
      if (!isBusy) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new AppError("network-failed", `${path} cannot be locked: ${why}`, { hint: `remove ${path}`, cause });
      }
      throw new AppError("network-failed", "another network command of this program is running", {
        hint: "wait until it has ended and run this again",
        cause,
      });
    }
  }
}

/** To lock a file takes no more than to open it. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (cause) {
    if ((cause as { code?: unknown }).code === "EEXIST") return;
    throw new AppError("network-failed", `${path} cannot be made`, { hint: "make /run writable", cause });
  }
}
