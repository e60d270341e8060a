import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Environment } from "../../config.ts";
import { interpolate } from "./interpolate.ts";
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
  let all = env;
  for (const path of paths) all = { ...all, ...readVariables(path, all), ...env };
  return all;
}

/**
 * The variables of a `.env` or of an env file.
 *
 * @param env what its values may name, beside those before them; undefined where the values are of no interest
 */
export function readVariables(path: string, env?: Environment): Record<string, string> {
  const variables: Record<string, string> = {};
  const known: Record<string, string | undefined> = { ...env };
  for (const line of readText(path).split("\n")) {
    const [, name, value = ""] = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*(?:[=:]\s*(.*?))?\s*$/.exec(line) ?? [];
    if (name === undefined) continue;
    const [, quote = "", inner = ""] = /^(["'])(.*?)\1\s*(#.*)?$/.exec(value) ?? [];
    const text = quote === "" ? value.replace(/\s#.*$/, "").trim() : inner;
    const isRaw = env === undefined || quote === "'" || !text.includes("$");
    const result = isRaw ? text : interpolate(text, known, `${path}: ${name}`);
    variables[name] = result;
    known[name] = env?.[name] ?? result;
  }
  return variables;
}
