import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { AppError } from "../errors.ts";
import type { Command } from "./step.ts";

/** iptables itself waits 5 s for others. */
const DEADLINE_MS = 10_000;

const TRIES_MAX = 5;

const INTERFACES = "/sys/class/net";

/** What of this machine is asked and changed. */
export interface Machine {
  /**
   * Runs a command to its end, and again where a terminal's signal ended it. `output` is what it said, trimmed.
   *
   * @param isDone asked before it is run again, where to do it twice is not to do it once
   */
  readonly run: (
    command: Command,
    isDone?: () => Promise<boolean>,
  ) => Promise<{ readonly exitCode: number; readonly output: string }>;
  /** A bridge's `route_localnet`; undefined where there is no such interface. */
  readonly routeLocalnet: (bridge: string) => string | undefined;
  readonly setRouteLocalnet: (bridge: string, value: string) => void;
  /** The number that no other interface had since the machine started; undefined where there is no such interface. */
  readonly ifindex: (bridge: string) => number | undefined;
  /** What the interface of that number is called now; undefined where it went away. */
  readonly nameOf: (ifindex: number) => string | undefined;
}

/**
 * @param programs the paths of `iptables` and `ip`, as far as they are there
 * @param path the PATH that they get
 */
export function createMachine(
  programs: Readonly<Record<string, string | undefined>>,
  path: string,
  deadlineMs = DEADLINE_MS,
): Machine {
  function ifindex(name: string): number | undefined {
    const text = readLine(`${INTERFACES}/${name}/ifindex`);
    return text !== undefined && /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
  }

  async function runOnce(command: readonly [program: string, ...args: string[]]) {
    const env = { PATH: path, LC_ALL: "C" };
    // Detached, because Ctrl-C is sent to all of a terminal's processes: it would end the undoing as well.
    const stdio = { stdin: "ignore", stdout: "pipe", stderr: "pipe" } as const;
    const child = Bun.spawn([...command], { ...stdio, env, detached: true });
    const ending = Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), deadlineMs);
    const ended = await Promise.race([ending, late.promise]);
    clearTimeout(timer);
    if (ended === undefined) {
      // KILL, because what hangs in the kernel's hands may not heed less. Its output is not waited for: a child of it may hang.
      child.kill("SIGKILL");
      return { exitCode: 124, output: `it did not end within ${deadlineMs / 1_000} s`, signal: null };
    }
    const [exitCode, stdout, stderr] = ended;
    const signal = child.signalCode === null ? "" : `it was ended by ${child.signalCode}`;
    const output = [stderr.trim(), stdout.trim(), signal].filter(Boolean).join("; ");
    return { exitCode, output, signal: child.signalCode };
  }

  return {
    async run([name, ...args], isDone = async () => false) {
      const program = programs[name];
      if (program === undefined) {
        const hint = `install it (apt-get install ${name === "ip" ? "iproute2" : name}) and run this again`;
        throw new AppError("network-failed", `there is no ${name} on the PATH ${path}`, { hint });
      }
      for (let tries = 1; ; tries += 1) {
        const { exitCode, output, signal } = await runOnce([program, ...args]);
        // A terminal's signal reaches a child only before it is detached, when it has not begun. Others may send one at any time.
        if ((signal !== "SIGINT" && signal !== "SIGHUP") || tries === TRIES_MAX) return { exitCode, output };
        if (await isDone()) return { exitCode: 0, output };
      }
    },
    routeLocalnet: (bridge) => readLine(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`),
    setRouteLocalnet(bridge, value) {
      writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, value);
    },
    ifindex,
    nameOf: (number) => readdirSync(INTERFACES).find((name) => ifindex(name) === number),
  };
}

function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    // No such interface, which is what is asked.
    return undefined;
  }
}
