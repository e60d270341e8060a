import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { canonicalAddress } from "../../engine/ip-address.ts";

const LISTENS = "0A";
const PROCESSES_MAX = 20_000;

/**
 * Which process listens on a port of an address of this machine, such as `nginx (process 812)`, or on that of all. Undefined
 * where it cannot be told: not on Linux, or a process of another user's.
 *
 * @param address where 0.0.0.0 or :: is that of any of its addresses
 * @param proc the folder of the kernel's processes
 */
export function listenerOf(address: string, port: number, proc = "/proc"): string | undefined {
  const asked = canonicalAddress(address);
  const rows = ["tcp", "tcp6"].flatMap((table) => listening(`${proc}/net/${table}`, port));
  const sure = rows.filter((row) => isTakenBy(asked, row.address));
  // Of the addresses of IPv4 it has those as well, unless its program said otherwise.
  const found = sure.length > 0 ? sure : rows.filter((row) => row.address === "::");
  const sockets = new Set(found.map(({ link }) => link));
  if (sockets.size === 0) return undefined;
  const processes = list(proc).filter((name) => /^\d+$/.test(name));
  const id = processes.slice(0, PROCESSES_MAX).find((one) => hasSocket(`${proc}/${one}/fd`, sockets));
  return id && `${read(`${proc}/${id}/comm`).trim() || "a process"} (process ${id})`;
}

/** Whether who listens on one address has the port of the other. */
function isTakenBy(asked: string, address: string): boolean {
  if (address === asked || asked === "::") return true;
  return [asked, address].includes("0.0.0.0") && !`${asked}${address}`.includes(":");
}

/** The sockets that listen on a port, by the kernel's table: each with its address, and the link that its process has to it. */
function listening(table: string, port: number): { readonly address: string; readonly link: string }[] {
  return read(table)
    .split("\n")
    .flatMap((line) => {
      const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
      const [address = "", of = ""] = local.split(":");
      if (state !== LISTENS || Number.parseInt(of, 16) !== port) return [];
      return { address: addressIn(address), link: `socket:[${inode}]` };
    });
}

/** The kernel writes the words of an address as this processor has them, which is the last byte first. */
function addressIn(words: string): string {
  const bytes = (words.match(/.{8}/g) ?? []).flatMap((word) => word.match(/../g)?.reverse() ?? []);
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join(".");
  return canonicalAddress(bytes.join("").match(/.{4}/g)?.join(":") ?? "");
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
