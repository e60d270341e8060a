import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../config/config.ts";
import { AppError } from "../../errors.ts";
import { shellWords } from "../../text.ts";
import type { Files } from "./find-files.ts";
import { isBeyondUs } from "./own-limit.ts";
import { isRecord, type Project, type Raw, toNetworks, toService } from "./project.ts";
import { readProject } from "./yaml.ts";

const DEADLINE_MS = 20_000;

/**
 * The project as Compose itself understands it, where its plugin is installed.
 *
 * @param env the process's own: what a project's `.env` says of PATH, LD_PRELOAD or DOCKER_CONFIG would run the project's
 * code. Compose reads that file itself.
 * @returns undefined without the plugin
 * @throws AppError `command-failed` when Compose refuses the project
 */
export function askPlugin(files: Files, env: Environment): Project | undefined {
  const command = findPlugin(files, env);
  if (command === undefined) return undefined;
  const envFiles = files.envFiles.flatMap((path) => ["--env-file", path]);
  const chosen = [...envFiles, ...files.paths.flatMap((path) => ["-f", path])];
  const asked = [...command, ...chosen, "--project-directory", files.directory, "--profile", "*", "config"];
  const { success, stdout, exitedDueToTimeout } = run([...asked, "--format", "json"], files, env);
  // What it says, on either stream, may quote a value.
  const fail = (what: string) =>
    new AppError("command-failed", `docker compose config ${what}`, {
      hint: `run it to see why: ${shellWords([...asked, "--quiet"])}`,
    });
  if (exitedDueToTimeout) throw fail(`gave no answer within ${DEADLINE_MS / 1000} s`);
  if (!success) {
    const reason = ownReason(files);
    throw fail(`refused the project${reason === undefined ? "" : `, perhaps because ${reason}`}`);
  }
  const document = parsed(stdout);
  if (document === undefined) throw fail("answered something else than JSON");
  const services = isRecord(document.services) ? Object.entries(document.services) : [];
  return {
    name: String(document.name),
    services: services.flatMap(([name, raw]) => (isRecord(raw) && !raw.provider ? [toService(name, raw)] : [])),
    networks: toNetworks(document.networks),
    unresolved: [],
  };
}

/** What we find wrong ourselves is most often what Compose does, unless it is beyond us alone. It is said without a value. */
function ownReason(files: Files): string | undefined {
  try {
    readProject(files);
  } catch (error) {
    if (error instanceof AppError) return isBeyondUs(error) ? undefined : error.publicMessage;
    throw error;
  }
  return undefined;
}

function parsed(text: string): Raw | undefined {
  try {
    const document: unknown = JSON.parse(text);
    return isRecord(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

/** `docker compose`, or the same program by its older name; version 1 knows no JSON. */
function findPlugin(files: Files, env: Environment): string[] | undefined {
  const candidates = [["docker", "compose"], ["docker-compose"]];
  return candidates.find((command) => {
    const [program = ""] = command;
    if (Bun.which(program, { PATH: env.PATH ?? "" }) === null) return false;
    const { success, stdout } = run([...command, "version", "--short"], files, env);
    return success && /^v?([2-9]|\d\d)\./.test(stdout);
  });
}

function run([program = "", ...args]: readonly string[], files: Files, env: Environment) {
  const path = Bun.which(program, { PATH: env.PATH ?? "" }) ?? program;
  const answer = nameless();
  try {
    const { success, exitedDueToTimeout } = Bun.spawnSync([path, ...args], {
      cwd: files.cwd,
      env,
      stdout: answer,
      stderr: "ignore",
      timeout: DEADLINE_MS,
    });
    return { success, stdout: success ? contents(answer) : "", exitedDueToTimeout };
  } finally {
    closeSync(answer);
  }
}

/**
 * A file that no folder names any more, as its text may be secret. A pipe would be read until the last that has it is
 * gone, and that may be something that the plugin left behind.
 */
function nameless(): number {
  try {
    const folder = mkdtempSync(join(tmpdir(), "ecs-local-endpoints-"));
    try {
      return openSync(join(folder, "answer"), "wx+", 0o600);
    } finally {
      rmSync(folder, { recursive: true });
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new AppError("command-failed", `${tmpdir()} takes no file for what docker compose answers (${code})`, {
      cause,
      hint: "set TMPDIR to a folder that can be written to",
    });
  }
}

/** From its beginning: what wrote it has left its place in it at the end. */
function contents(file: number): string {
  const bytes = Buffer.alloc(fstatSync(file).size);
  return bytes.toString("utf8", 0, readSync(file, bytes, 0, bytes.length, 0));
}
