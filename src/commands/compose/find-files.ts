import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Environment } from "../../config/config.ts";
import { AppError } from "../../errors.ts";

/** The first line of every file that `compose` writes. */
export const WRITTEN_BY = "# Written by ecs-local-endpoints compose";

/** In Compose's order: the first that exists is used. */
const NAMES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES = NAMES.map((name) => name.replace(".", ".override.")).toSorted((a, b) => (a < b ? 1 : -1));

/** The files of a project, and the folder that its relative paths start from. */
export interface Files {
  readonly paths: readonly string[];
  readonly directory: string;
  readonly cwd: string;
  /** For `--env-file`: Compose reads only the `.env` next to the first file when `-f` names the files. */
  readonly envFiles: readonly string[];
  /** The override to write. */
  readonly target: string;
}

/**
 * Finds the files of a project as Compose does: the given ones, those of `COMPOSE_FILE`, or the default names in the
 * folder or the nearest one above, with their override file. An output that an earlier run wrote is left out.
 *
 * @param output undefined or `-`: next to the first file
 * @throws AppError `command-failed` if there is none, or one cannot be read
 */
export function findFiles(
  given: readonly string[],
  cwd: string,
  directory: string | undefined,
  env: Environment,
  output: string | undefined,
): Files {
  const base = resolve(cwd, directory ?? ".");
  const dotenv = join(base, ".env");
  const fromEnvironment = env.COMPOSE_FILE || undefined;
  const configured = fromEnvironment ?? composeFileOf(dotenv);
  const separator = env.COMPOSE_PATH_SEPARATOR || ":";
  const named = (given.length > 0 ? given : configured?.split(separator))?.map((file) => resolve(cwd, file));
  const all = named ?? defaultFiles(base);
  const target =
    output === undefined || output === "-"
      ? join(dirname(all[0] ?? base), "compose.ecs-local.yaml")
      : resolve(cwd, output);
  const paths = all.filter((path) => path !== target || (existsSync(path) && !isOurs(path)));
  const [first] = paths;
  if (first === undefined) {
    const where =
      all.length > 0 ? `${target} is the output, not an input` : `${base} and its parents have no ${NAMES[0]}`;
    throw new AppError("command-failed", where, {
      hint: "name the project's files: ecs-local-endpoints compose FILE...",
    });
  }
  for (const path of paths) refuseUnreadable(path);
  const folder = directory === undefined ? dirname(first) : base;
  const usesDotenv = given.length === 0 && fromEnvironment === undefined && configured !== undefined;
  return { paths, directory: folder, cwd, envFiles: usesDotenv && folder !== base ? [dotenv] : [], target };
}

/** Whether `compose` wrote a file. */
export function isOurs(path: string): boolean {
  refuseUnreadable(path);
  return readFileSync(path, "utf8").startsWith(WRITTEN_BY);
}

/** Reading a pipe could wait forever. */
function refuseUnreadable(path: string): void {
  let isFile: boolean;
  try {
    isFile = statSync(path).isFile();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new AppError("command-failed", `${path} cannot be read (${code})`, { cause });
  }
  if (!isFile) throw new AppError("command-failed", `${path} is not a regular file`, { hint: "name a Compose file" });
}

function composeFileOf(dotenv: string): string | undefined {
  if (!existsSync(dotenv) || !statSync(dotenv).isFile()) return undefined;
  const [, value] = /^\s*(?:export\s+)?COMPOSE_FILE\s*=\s*["']?([^"'\r\n#]+)/m.exec(readFileSync(dotenv, "utf8")) ?? [];
  return value?.trim() || undefined;
}

function defaultFiles(base: string): string[] {
  const firstOf = (folder: string, names: readonly string[]) =>
    names.map((name) => join(folder, name)).find((path) => existsSync(path));
  for (let folder = base; ; folder = dirname(folder)) {
    const main = firstOf(folder, NAMES);
    if (main !== undefined) return [main, firstOf(folder, OVERRIDES)].filter((path) => path !== undefined);
    if (dirname(folder) === folder) return [];
  }
}
