import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { note, noteAnswer, secretsOf } from "./secrets.ts";

const BINARY = join(import.meta.dir, "../../dist/ecs-local-endpoints");

/** Runs the compiled program with nothing of this environment, until it says that it listens. */
export async function startBinary(
  env: Record<string, string>,
  options: { args?: string[]; cwd?: string; by?: string[] } = {},
) {
  const port = freePort();
  const child = Bun.spawn([...(options.by ?? []), BINARY, ...(options.args ?? [])], {
    cwd: options.cwd ?? "/",
    env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent", ECS_LOCAL_METADATA_PORT: String(port), ...env },
    stdout: "ignore",
    stderr: "pipe",
  });
  secretsOf(env);
  let log = "";
  const reader = child.stderr.getReader();
  const reading = (async () => {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      log += new TextDecoder().decode(read.value);
    }
    note(log);
  })();
  for (let i = 0; !log.includes("listening"); i += 1) {
    if (i > 500 || child.exitCode !== null) throw new Error(`the server does not listen:\n${log}`);
    await Bun.sleep(10);
  }
  return {
    port,
    log: () => log,
    /** Closes our end of what it writes its log to. */
    closeLog: () => reader.cancel(),
    async get(path: string): Promise<Response> {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      noteAnswer(response.status, await response.clone().text());
      return response;
    },
    /** Ends it as `docker stop` does; gives the exit code. */
    async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number> {
      child.kill(signal);
      await reading;
      return child.exited;
    },
  };
}

/** Runs the compiled program to its end, by another program's leave: `setpriv ...`. */
export function runBinary(args: string[], env: Record<string, string> = {}, by: string[] = []) {
  const run = Bun.spawnSync([...by, BINARY, ...args], { env: { HOME: "/nonexistent", ...env }, timeout: 5_000 });
  const [stdout, stderr] = [run.stdout.toString(), run.stderr.toString()];
  note(stdout + stderr);
  return { exitCode: run.exitCode, stdout, stderr };
}
