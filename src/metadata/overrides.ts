import { readFileSync } from "node:fs";
import { AppError } from "../errors.ts";

export type JsonObject = { readonly [key: string]: unknown };

/**
 * Reads a file of TASK_METADATA_PATH or CONTAINER_METADATA_PATH.
 *
 * @throws AppError `bad-configuration` with the variable, the path and the reason: a bad file stops the start
 */
export function readOverride(variable: string, path: string | undefined): JsonObject | undefined {
  if (path === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? `is not JSON (${cause.message})` : "cannot be read";
    throw new AppError("bad-configuration", `${variable} is '${path}', which ${reason}`, { cause });
  }
  if (isObject(value)) return value;
  throw new AppError("bad-configuration", `${variable} is '${path}', which holds no JSON object`);
}

/** The reference's deep merge: objects key by key, anything else is replaced, and the file wins. */
export function mergeOver(document: JsonObject, override: JsonObject | undefined): JsonObject {
  if (override === undefined) return document;
  const merged: Record<string, unknown> = { ...document };
  for (const [key, value] of Object.entries(override)) {
    const present = merged[key];
    merged[key] = isObject(value) && isObject(present) ? mergeOver(present, value) : value;
  }
  return merged;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
