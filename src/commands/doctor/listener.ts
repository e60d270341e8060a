import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const LISTENS = "0A";
const PROCESSES_MAX = 20_000;

/**
 * Which process listens on a port of this machine, such as `nginx (process 812)`. Undefined where it cannot be told: not on
 * Linux, or a process of another user's.
 *
 * @param proc the folder of the kernel's processes
 */
export function listenerOf(port: number, proc = "/proc"): string | undefined {
  const sockets = new Set(["tcp", "tcp6"].flatMap((table) => listening(`${proc}/net/${table}`, port)));
  if (sockets.size === 0) return undefined;
  const processes = list(proc).filter((name) => /^\d+$/.test(name));
  const found = processes.slice(0, PROCESSES_MAX).find((id) => hasSocket(`${proc}/${id}/fd`, sockets));
  return found && `${read(`${proc}/${found}/comm`).trim() || "a process"} (process ${found})`;
}

/** The links that a process has to a socket that listens there, by the kernel's table of sockets. */
function listening(table: string, port: number): string[] {
  return read(table)
    .split("\n")
    .flatMap((line) => {
      const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
      return state === LISTENS && Number.parseInt(local.split(":")[1] ?? "", 16) === port ? [`socket:[${inode}]`] : [];
    });
}

function hasSocket(folder: string, sockets: ReadonlySet<string>): boolean {
  return list(folder).some((name) => {
    try {
      return sockets.has(readlinkSync(`${folder}/${name}`));
    } catch {
      // Closed meanwhile.
      return false;
    }
  });
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Ended, or another user's.
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
