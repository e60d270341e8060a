import { basename } from "node:path";
import { AppError } from "../errors.ts";
import { oneLine } from "../text.ts";
import type { Table } from "./rules.ts";

/** The two kinds of rules of a kernel. Neither shows those of the other. */
export type Backend = "nf_tables" | "legacy";

/** More than the 5 s that iptables waits for its lock. */
const TIMEOUT_MS = 10_000;
/** Users other than root often have no PATH to these. */
const SYSTEM_FOLDERS = "/usr/sbin:/sbin";
const WAIT = ["-w", "5"];

export interface Iptables {
  readonly backend: Backend;
  /** For printed commands, such as `iptables-restore`. */
  readonly restoreName: string;
  /** The lines of `iptables -S`; none if the kernel does not have the table. */
  readonly list: (table: Table) => Promise<readonly string[]>;
  /** Applies the input of `iptables-restore --noflush`: all of it, or nothing. */
  readonly restore: (text: string) => Promise<void>;
}

/**
 * Finds iptables: the one on the PATH, or of the kind that an earlier `network up` used.
 *
 * @param earlier the kind of the rules that exist
 * @returns undefined if there is none
 * @throws AppError `network-failed` if it cannot be run, or the earlier kind is not installed any more
 */
export async function findIptables(path: string, earlier: Backend | undefined): Promise<Iptables | undefined> {
  const usual = Bun.which("iptables", { PATH: path });
  if (usual !== null) {
    const backend = await backendOf(usual, path);
    if (earlier === undefined || earlier === backend) return createIptables(usual, backend, path);
  }
  if (earlier === undefined) return undefined;
  const other = Bun.which(earlier === "nf_tables" ? "iptables-nft" : "iptables-legacy", { PATH: path });
  if (other !== null) return createIptables(other, earlier, path);
  throw new AppError(
    "network-failed",
    `the rules were made by iptables (${earlier}), which is not installed any more`,
    {
      hint: "install that iptables again, or restart the machine, which removes the rules",
    },
  );
}

/** The PATH with the folders of system programs added. */
export function searchPath(path: string | undefined): string {
  return path ? `${path}:${SYSTEM_FOLDERS}` : `/usr/bin:/bin:${SYSTEM_FOLDERS}`;
}

async function backendOf(program: string, path: string): Promise<Backend> {
  const { exitCode, output } = await run([program, "--version"], path);
  if (exitCode !== 0) throw failed("iptables --version", exitCode, output);
  return output.includes("nf_tables") ? "nf_tables" : "legacy";
}

function createIptables(program: string, backend: Backend, path: string): Iptables {
  const restoreProgram = `${program}-restore`;
  return {
    backend,
    restoreName: basename(restoreProgram),
    async list(table) {
      const args = [...WAIT, "-t", table, "-S"];
      const { exitCode, stdout, output } = await run([program, ...args], path);
      if (exitCode === 3 && /table does not exist/i.test(output)) return [];
      if (exitCode !== 0) throw failed(`iptables ${args.join(" ")}`, exitCode, output);
      return stdout.split("\n");
    },
    async restore(text) {
      const { exitCode, output } = await run([restoreProgram, "--noflush", ...WAIT], path, text);
      if (exitCode !== 0)
        throw failed(`${basename(restoreProgram)} of ${text.slice(1, text.indexOf("\n"))}`, exitCode, output);
    },
  };
}

/**
 * Runs a program to its end, at most for 10 s. It gets a session of its own, because Ctrl-C in a terminal goes to every
 * process of the session.
 *
 * @returns `output`: stderr, else stdout, on one line
 */
export async function run(command: readonly string[], path: string, stdin = "") {
  const child = Bun.spawn([...command], {
    ...{ stdin: Buffer.from(stdin), stdout: "pipe", stderr: "pipe", detached: true },
    ...{ env: { PATH: path, LC_ALL: "C" }, timeout: TIMEOUT_MS, killSignal: "SIGKILL" },
  });
  const [exitCode, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  const text = stderr.trim() || stdout.trim() || (child.signalCode ? `ended by ${child.signalCode}` : "no output");
  return { exitCode, stdout, output: oneLine(text.replace(/\s*\n\s*/g, " ")) };
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/permission denied|operation not permitted/i, "run it as root with the capability NET_ADMIN"],
  [/xtables lock/i, "wait until the other iptables has ended, and run this again"],
  [
    /parsing nftables rule|is incompatible/i,
    "remove what nft put there and iptables cannot read (nft -a list ruleset), and run this again",
  ],
  [/initialize|match|target|module/i, "load the kernel's modules for iptables, or use network up --loopback"],
];

/** The error of a command, with a hint for the usual causes. */
export function failed(command: string, exitCode: number, output: string): AppError {
  const hint = HINTS.find(([pattern]) => pattern.test(output))?.[1] ?? "fix the cause and run this again";
  return new AppError("network-failed", `${command} failed with ${exitCode}: ${output}`, { hint });
}
