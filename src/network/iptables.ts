import { createMachine } from "./machine.ts";
import { failed } from "./operations.ts";
import type { Command } from "./step.ts";

/** The two kinds of rules that a kernel has, which do not see each other. */
export type Backend = "nf_tables" | "legacy";

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
export async function findIptables(
  path: string,
  earlier: Backend | undefined,
): Promise<{ readonly program: string; readonly backend: Backend } | undefined> {
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
