import { readFileSync } from "node:fs";
import { createMachine } from "./machine.ts";
import { failed } from "./operations.ts";
import { CHAINS } from "./plan.ts";
import { type Command, commandToCheck } from "./step.ts";

/** The two kinds of rules that a kernel has, which do not see each other. */
export type Backend = "nf_tables" | "legacy";

interface Iptables {
  readonly program: string;
  readonly backend: Backend;
}

/** Where users other than root have no way to, and iptables is. */
const SYSTEM_FOLDERS = "/usr/sbin:/sbin";

/** @returns PATH with the folders of the system's programs behind it */
export function searchPath(path: string | undefined): string {
  return path ? `${path}:${SYSTEM_FOLDERS}` : `/usr/bin:/bin:${SYSTEM_FOLDERS}`;
}

/**
 * The iptables to run: the one of that name, unless what was made earlier is of the other kind and has to be found again.
 *
 * @param path as of {@link searchPath}
 * @param earlier the kind of what was made earlier
 * @returns undefined where there is none
 * @throws AppError `network-failed` for one that does not say its kind
 */
export async function findIptables(path: string, earlier: Backend | undefined): Promise<Iptables | undefined> {
  const program = Bun.which("iptables", { PATH: path });
  if (program !== null) {
    const command: Command = ["iptables", "--version"];
    const { exitCode, output } = await createMachine({ iptables: program }, path).run(command);
    // Taken for the other kind, rules would be looked for, and left, where they are not.
    if (exitCode !== 0) throw failed(command, exitCode, output);
    const backend = /nf_tables/.test(output) ? "nf_tables" : "legacy";
    if (earlier === undefined || earlier === backend) return { program, backend };
  }
  if (earlier === undefined) return undefined;
  const other = Bun.which(earlier === "nf_tables" ? "iptables-nft" : "iptables-legacy", { PATH: path });
  return other === null ? undefined : { program: other, backend: earlier };
}

/**
 * The iptables of the other kind, where that one has chains of ours and the one in use has none. It is for where no state says
 * which of them was the one in use.
 *
 * @param path as of {@link searchPath}
 * @throws AppError `network-failed` as {@link findIptables}
 */
export async function findOther(path: string, inUse: Iptables | undefined): Promise<Iptables | undefined> {
  if (inUse && (await hasOurs(inUse, path))) return undefined;
  for (const backend of ["nf_tables", "legacy"] as const) {
    if (backend === inUse?.backend) continue;
    const other = await findIptables(path, backend);
    if (other && (await hasOurs(other, path))) return other;
  }
  return undefined;
}

async function hasOurs({ program, backend }: Iptables, path: string): Promise<boolean> {
  // To ask for a legacy table makes it, and nf_tables warns of those from then on.
  if (backend === "legacy" && !hasLegacyTables()) return false;
  const machine = createMachine({ iptables: program }, path);
  for (const { table, chain } of Object.values(CHAINS)) {
    const { exitCode } = await machine.run(commandToCheck({ kind: "chain", what: chain, table, chain }));
    if (exitCode === 0) return true;
  }
  return false;
}

function hasLegacyTables(): boolean {
  try {
    return readFileSync("/proc/net/ip_tables_names", "utf8") !== "";
  } catch {
    // The kernel has them not, or they are not for us to see.
    return false;
  }
}
