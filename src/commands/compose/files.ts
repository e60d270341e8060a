import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Environment } from "../../config.ts";
import { AppError } from "../../errors.ts";

const NAMES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/** The files of a project and the folder that its paths start from. */
export interface Files {
  readonly paths: readonly string[];
  readonly directory: string;
  /** The process's variables over those of the project's `.env`: for the files' texts alone, never for a program. */
  readonly env: Environment;
}

/**
 * Finds the files of a project as Compose does: those that are given, those of `COMPOSE_FILE`, else the usual ones of the
 * folder with their override.
 *
 * @param output is never one of them: it is what we write
 * @throws AppError `command-failed` when there is none
 */
export function findFiles(
  given: readonly string[],
  cwd: string,
  directory: string | undefined,
  env: Environment,
  output: string | undefined,
): Files {
  const base = resolve(cwd, directory ?? ".");
  const isOutput = (path: string) => output !== undefined && resolve(cwd, output) === path;
  const paths = (given.length > 0 ? given.map((file) => resolve(cwd, file)) : usualFiles(cwd, base, env)).filter(
    (path) => !isOutput(path),
  );
  const [first] = paths;
  if (first === undefined) {
    throw new AppError("command-failed", `${base} has no ${NAMES[0]}`, {
      hint: "name the project's files: ecs-local-endpoints compose FILE...",
    });
  }
  const folder = directory === undefined ? dirname(first) : base;
  return { paths, directory: folder, env: withDotenv(folder, env) };
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

/** @throws AppError `command-failed` with the path and why */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new AppError("command-failed", `${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
    });
  }
}
