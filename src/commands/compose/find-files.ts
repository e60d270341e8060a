import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Environment } from "../../config/config.ts";
import { AppError } from "../../errors.ts";
import { envFilesOf, withEnvFiles } from "./dotenv.ts";
import { readText, refuseUnreadable } from "./read.ts";

/** How an override begins. */
export const WRITTEN_BY = "# Written by ecs-local-endpoints compose";

/** The first that there is, each in Compose's own order. */
const NAMES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES = [
  "compose.override.yml",
  "compose.override.yaml",
  "docker-compose.override.yml",
  "docker-compose.override.yaml",
];

/** The files of a project and the folder that its paths start from. */
export interface Files {
  readonly paths: readonly string[];
  readonly directory: string;
  /** The folder that the command runs in: what COMPOSE_ENV_FILES names starts from it. */
  readonly cwd: string;
  /** What `--env-file` has to name where `-f` names the files: Compose would read less by itself then. */
  readonly envFiles: readonly string[];
  /** The override to write. */
  readonly target: string;
  /** The process's variables over those of the project's `.env`: for the files' texts alone, never for a program. */
  readonly env: Environment;
}

/**
 * Finds the files of a project as Compose does: those that are given, those of `COMPOSE_FILE`, else the usual ones of the
 * folder, or of the nearest above it that has them, with their override.
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
    const message =
      named.length > 0
        ? `${target} is the output and no input`
        : `${base} has no ${NAMES[0]}, nor has a folder above it`;
    throw new AppError("command-failed", message, { hint });
  }
  // The plugin would read them without a bound.
  for (const path of paths) refuseUnreadable(path);
  const folder = directory === undefined ? dirname(first) : base;
  const own = envFilesOf(folder, cwd, env);
  // Where no file was given, the folder that it runs in has the first word, which is the last in a list.
  const all = given.length > 0 ? own : [...new Set([...own, ...envFilesOf(base, cwd, env)])];
  const envFiles = all.length > own.length ? all : [];
  return { paths, directory: folder, cwd, envFiles, target, env: withEnvFiles(all, env) };
}

/** Whether a file is one that we wrote. */
export function isOurs(path: string): boolean {
  return readText(path).startsWith(WRITTEN_BY);
}

function usualFiles(cwd: string, base: string, env: Environment): string[] {
  const configured = withEnvFiles(envFilesOf(base, cwd, env), env);
  if (configured.COMPOSE_FILE) {
    const separator = configured.COMPOSE_PATH_SEPARATOR || ":";
    return configured.COMPOSE_FILE.split(separator).map((file) => resolve(cwd, file));
  }
  for (let folder = base; ; folder = dirname(folder)) {
    const first = (names: readonly string[]) =>
      names
        .map((name) => join(folder, name))
        .filter((path) => existsSync(path))
        .slice(0, 1);
    const main = first(NAMES);
    if (main.length > 0) return [...main, ...first(OVERRIDES)];
    if (dirname(folder) === folder) return [];
  }
}
