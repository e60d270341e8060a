import { readFileSync } from "node:fs";

export interface Server {
  readonly pid: number;
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** Starts a server that may not be listening yet. Its environment is only what is given here. */
export function startServer(command: readonly string[], port: number, env: Readonly<Record<string, string>>): Server {
  const child = Bun.spawn([...command], { env, stdio: ["ignore", "ignore", "ignore"] });
  return {
    pid: child.pid,
    port,
    async stop() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** A port that nobody listens on at this moment. */
export function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

/** One tick of the kernel's clock: USER_HZ is 100 on every Linux that Bun runs on. */
const TICK_US = 10_000;

/** What all threads of a process have used so far, in user and in kernel mode. */
export function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may contain spaces: fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

export interface Memory {
  readonly rssMb: number;
  /** Pages that only this process has mapped, those of its executable among them when no other runs the same file. */
  readonly privateMb: number;
  /** What is left of those without what the kernel can drop and read again from the file: the same alone or not. */
  readonly dirtyMb: number;
  readonly anonymousMb: number;
}

export function memory(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const mb = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(rollup)?.[1] ?? 0) / 1024;
  return {
    rssMb: mb("Rss"),
    privateMb: mb("Private_Clean") + mb("Private_Dirty"),
    dirtyMb: mb("Private_Dirty"),
    anonymousMb: mb("Anonymous"),
  };
}
