import { writeErr, writeOut } from "./cli/output.ts";
import type { Invocation } from "./cli.ts";
import { serve } from "./commands/serve.ts";
import { type Flags, parseConfig } from "./config/config.ts";
import { AppError } from "./errors.ts";
import { versionText } from "./version.ts";

/** Writes why the program does not start, each problem on its line, and ends it. */
function fail(error: AppError, code = error.code === "bad-configuration" ? 2 : 1): never {
  for (const line of error.publicMessage.split("\n")) writeErr(`ecs-local-endpoints: ${line}\n`);
  if (error.hint !== undefined) writeErr(`hint: ${error.hint}\n`);
  process.exit(code);
}

/** Without arguments, as in an image, the parser is not even loaded: it is a third of the time to start. */
async function readInvocation(argv: readonly string[]): Promise<Invocation> {
  if (argv.length === 0) return { kind: "serve", flags: {} };
  const { parseArguments } = await import("./cli.ts");
  return parseArguments(argv, versionText());
}

async function checkHealth(flags: Flags): Promise<never> {
  const { healthcheck } = await import("./commands/healthcheck.ts");
  try {
    const { code, line } = await healthcheck(parseConfig(process.env, flags));
    if (code === 0) writeOut(`${line}\n`);
    else writeErr(`${line}\n`);
    process.exit(code);
  } catch (error) {
    // Not 2, which Docker keeps for itself in a HEALTHCHECK: only a command line that cannot be read ends with it.
    if (error instanceof AppError) fail(error, 1);
    throw error;
  }
}

const LOG_UNREAD_BYTES_MAX = 1024 * 1024;

/** A log without a reader must neither grow without bound nor end the server. */
function writeLog(lines: string): void {
  if (process.stderr.writableLength < LOG_UNREAD_BYTES_MAX) writeErr(lines);
}

/** A compiled program has its own source at a path that is on no disk. */
const program = () => (Bun.main.includes("$bunfs") ? [process.execPath] : [process.execPath, Bun.main]);

async function main(): Promise<void> {
  const env = process.env;
  const invocation = await readInvocation(process.argv.slice(2));
  if (invocation.kind === "exit") {
    // Not at once: what was written may still be on its way.
    process.exitCode = invocation.code;
    return;
  }
  if (invocation.kind === "healthcheck") return checkHealth(invocation.flags);
  if (invocation.kind === "network") {
    const { network } = await import("./network/command.ts");
    const out = (lines: string) => writeOut(lines);
    const { docker } = parseConfig(env);
    const deps = { docker, env, program: program(), out, err: writeErr };
    process.exitCode = await network(invocation.request, deps);
    return;
  }
  if (invocation.kind === "run") {
    const { stdout, stderr } = await invocation.run(env);
    writeOut(stdout.join(""));
    for (const line of stderr) writeErr(line.startsWith("hint: ") ? `${line}\n` : `ecs-local-endpoints: ${line}\n`);
    return;
  }
  if (invocation.kind === "doctor") {
    const { doctor } = await import("./commands/doctor.ts");
    let output = "";
    const out = (lines: string) => {
      output += lines;
    };
    const config = parseConfig(env, invocation.request);
    const code = await doctor(invocation.request, config, {
      ...{ docker: config.docker, env, program: program(), out },
      err: writeErr,
    });
    // Pending work, such as a request without an answer, must not keep the process alive.
    writeOut(output, () => process.exit(code));
    return;
  }
  const running = await serve(parseConfig(env, invocation.flags), env, writeLog);
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(signal, () => {
      void running.stop(signal).then(() => process.exit(0));
    });
  }
}

main().catch((error: unknown) => {
  if (error instanceof AppError) fail(error);
  throw error;
});
