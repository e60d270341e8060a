import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Environment } from "../../config.ts";
import { AppError } from "../../errors.ts";

const BYTES_MAX = 4_000_000;

/** How an override begins. */
export const WRITTEN_BY = "# Written by ecs-local-endpoints compose";

const NAMES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/** The files of a project and the folder that its paths start from. */
export interface Files {
  readonly paths: readonly string[];
  readonly directory: string;
  /** The override to write. */
  readonly target: string;
  /** The process's variables over those of the project's `.env`: for the files' texts alone, never for a program. */
  readonly env: Environment;
}

/**
 * Finds the files of a project as Compose does: those that are given, those of `COMPOSE_FILE`, else the usual ones of the
 * folder with their override.
 *
 * @param output undefined or `-`: an override beside the first file. One that we wrote before is not read again.
 * @throws AppError `command-failed` when there is none, or one that is not to be read
 */
export function findFiles(
  given: readonly string[],
  cwd: string,
  directory: string | undefined,
  env: Environment,
  output: string | undefined,
): Files {
  const base = resolve(cwd, directory ?? ".");
  const named = given.length > 0 ? given.map((file) => resolve(cwd, file)) : usualFiles(cwd, base, env);
  const target =
    output === undefined || output === "-"
      ? join(dirname(named[0] ?? base), "compose.ecs-local.yaml")
      : resolve(cwd, output);
  const paths = named.filter((path) => path !== target || (existsSync(path) && !isOurs(path)));
  const [first] = paths;
  if (first === undefined) {
    const hint = "name the project's files: ecs-local-endpoints compose FILE...";
    const message = named.length > 0 ? `${target} is the output and no input` : `${base} has no ${NAMES[0]}`;
    throw new AppError("command-failed", message, { hint });
  }
  // The plugin would read them without a bound.
  for (const path of paths) refuseUnreadable(path);
  const folder = directory === undefined ? dirname(first) : base;
  return { paths, directory: folder, target, env: withDotenv(folder, env) };
}

function isOurs(path: string): boolean {
  return readText(path).startsWith(WRITTEN_BY);
}

function usualFiles(cwd: string, base: string, env: Environment): string[] {
  const configured = withDotenv(base, env);
  if (configured.COMPOSE_FILE) {
    const separator = configured.COMPOSE_PATH_SEPARATOR || ":";
    return configured.COMPOSE_FILE.split(separator).map((file) => resolve(cwd, file));
  }
  const main = NAMES.map((name) => join(base, name)).find((path) => existsSync(path));
  if (main === undefined) return [];
  const overrides = NAMES.map((name) => join(base, name.replace(".", ".override.")));
  return [main, ...overrides.filter((path) => existsSync(path)).slice(0, 1)];
}

function withDotenv(folder: string, env: Environment): Environment {
  const path = join(folder, ".env");
  return existsSync(path) ? { ...readVariables(path), ...env } : env;
}

/** The variables of a `.env` or of an env file. */
export function readVariables(path: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of readText(path).split("\n")) {
    const [, name, value = ""] = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*(?:=\s*(.*?))?\s*$/.exec(line) ?? [];
    if (name !== undefined) variables[name] = unquote(value);
  }
  return variables;
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*?)\1\s*(#.*)?$/.exec(value);
  return quoted?.[2] ?? value.replace(/\s#.*$/, "").trim();
}

/** @throws AppError `command-failed` with the path and why: not there, no regular file, more than 4 MB */
export function readText(path: string): string {
  refuseUnreadable(path);
  return attempt(path, () => readFileSync(path, "utf8"));
}

/** Before it is opened: a pipe would keep us, a device would have no end. */
function refuseUnreadable(path: string): void {
  const stat = attempt(path, () => statSync(path));
  const why = stat.isFile() ? stat.size > BYTES_MAX && "is larger than 4 MB" : "is not a regular file";
  if (why) throw new AppError("command-failed", `${path} ${why}`, { hint: "name a file that Compose takes" });
}

function attempt<T>(path: string, what: () => T): T {
  try {
    return what();
  } catch (cause) {
    throw new AppError("command-failed", `${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
    });
  }
}
