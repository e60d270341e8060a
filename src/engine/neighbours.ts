import { readFileSync } from "node:fs";

/**
 * The hardware address that the kernel sends to for an IPv4 address, of its table of neighbours: whoever is connected
 * to us from there has it. Undefined where it is not on a network of ours, for IPv6, and not on Linux.
 */
export function macAddressOf(
  address: string,
  readTable: () => string = () => readFileSync("/proc/net/arp", "utf8"),
): string | undefined {
  let table: string;
  try {
    table = readTable();
  } catch {
    return undefined;
  }
  const found = new Set<string>();
  for (const line of table.split("\n")) {
    const [ip, , flags = "0x0", mac] = line.split(/\s+/);
    const isComplete = (Number(flags) & 2) !== 0;
    if (ip === address && mac && isComplete) found.add(mac.toLowerCase());
  }
  // Networks may overlap: of two neighbours with one address it is not known which is meant.
  return found.size === 1 ? [...found][0] : undefined;
}

/** Docker before 28 makes hardware addresses of IP addresses, so that the next container at one has the same. */
export function isMadeOf(mac: string, address: string): boolean {
  const bytes = address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return mac === ["02", "42", ...bytes].join(":");
}
