import { lstatSync, mkdirSync } from "node:fs";
import { AppError } from "../errors.ts";

/**
 * The folder of state and lock. It is empty after a start of the machine, as rules and sysctls are. It is nobody else's: a unit of
 * systemd's that runs the server may give /run/ecs-local-endpoints to the server's user.
 */
export const FOLDER = "/run/ecs-local-endpoints-network";

/**
 * Makes a folder that we alone write to, unless it is there.
 *
 * @throws AppError `network-failed` as {@link checkFolder}, or where it cannot be made
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o755 });
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== "EEXIST") {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new AppError("network-failed", `${path} cannot be made: ${why}`, { hint: "make /run writable", cause });
    }
  }
  checkFolder(path);
}

/**
 * Refuses a folder that somebody else than root or this user could have put things into.
 *
 * @throws AppError `network-failed`; ENOENT where there is none
 */
export function checkFolder(path: string): void {
  const found = lstatSync(path);
  const { uid, mode } = found;
  const why = !found.isDirectory()
    ? "is no folder"
    : uid !== 0 && uid !== process.geteuid?.()
      ? `belongs to the user ${uid}`
      : mode & 0o022
        ? `can be written to by others (mode ${(mode & 0o777).toString(8)})`
        : undefined;
  if (why === undefined) return;
  throw new AppError("network-failed", `${path} ${why}, so what it says of the network's rules is not trusted`, {
    hint: `remove it (rm -r ${path}) and run this again: network down then goes by the chains that stand`,
  });
}
