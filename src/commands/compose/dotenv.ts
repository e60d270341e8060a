import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Environment } from "../../config/config.ts";
import { assignments } from "./assignments.ts";
import { interpolate } from "./interpolate.ts";
import { readText } from "./read.ts";

/**
 * The files that Compose reads a project's variables from: a folder's `.env`, or those that COMPOSE_ENV_FILES names.
 *
 * @param cwd where those that are named start from
 */
export function envFilesOf(folder: string, cwd: string, env: Environment): string[] {
  const named = (env.COMPOSE_ENV_FILES ?? "").split(",").filter((file) => file !== "");
  if (named.length > 0) return named.map((file) => resolve(cwd, file));
  const usual = join(folder, ".env");
  const isOff = /^(1|t|true)$/i.test(env.COMPOSE_DISABLE_ENV_FILE ?? "");
  // A folder of that name is passed over.
  return !isOff && existsSync(usual) && !statSync(usual).isDirectory() ? [usual] : [];
}

/** A process's variables over those of such files, of which the last wins. */
export function withEnvFiles(paths: readonly string[], env: Environment): Environment {
  let all = env;
  for (const path of paths) all = { ...all, ...readVariables(path, all), ...env };
  return all;
}

/**
 * The variables of a `.env` or of an env file.
 *
 * @param env what its values may name, beside those before them; undefined where the values are of no interest
 * @throws AppError `command-failed` for a file that cannot be read, or a quote without its end, by its variable's name
 */
export function readVariables(path: string, env?: Environment): Record<string, string> {
  const variables: Record<string, string> = {};
  const known: Record<string, string | undefined> = { ...env };
  for (const { name, text, isRaw } of assignments(readText(path), path)) {
    const isPlain = isRaw || env === undefined || !text.includes("$");
    const result = isPlain ? text : interpolate(text, known, `${path}: ${name}`);
    variables[name] = result;
    known[name] = env?.[name] ?? result;
  }
  return variables;
}
