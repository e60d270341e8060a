import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Environment } from "../../config.ts";
import { readText } from "./read.ts";

/**
 * A process's variables over those of the files that Compose reads them from: the folder's `.env`, or those that
 * COMPOSE_ENV_FILES names.
 *
 * @param cwd where those that are named start from
 */
export function withDotenv(folder: string, cwd: string, env: Environment): Environment {
  const named = (env.COMPOSE_ENV_FILES ?? "").split(",").filter((file) => file !== "");
  const usual = join(folder, ".env");
  const isOff = /^(1|t|true)$/i.test(env.COMPOSE_DISABLE_ENV_FILE ?? "");
  const paths = named.length > 0 ? named.map((file) => resolve(cwd, file)) : !isOff && existsSync(usual) ? [usual] : [];
  return paths.length === 0 ? env : { ...Object.assign({}, ...paths.map(readVariables)), ...env };
}

/** The variables of a `.env` or of an env file. */
export function readVariables(path: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of readText(path).split("\n")) {
    const [, name, value = ""] = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*(?:[=:]\s*(.*?))?\s*$/.exec(line) ?? [];
    if (name !== undefined) variables[name] = unquote(value);
  }
  return variables;
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*?)\1\s*(#.*)?$/.exec(value);
  return quoted?.[2] ?? value.replace(/\s#.*$/, "").trim();
}
