import { readFileSync, statSync } from "node:fs";
import { AppError, type AppErrorOptions } from "../errors.ts";

export type JsonObject = { readonly [key: string]: unknown };

const BYTES_MAX = 4 * 1024 * 1024;

/** A JSON object: neither an array nor null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads a file that a variable names and that holds one JSON object.
 *
 * @param options.hint of the error
 * @throws AppError `bad-configuration` with the variable, the path and the reason; it quotes no value of the file, which
 *   may hold secrets
 */
export function readJsonObject(
  variable: string,
  path: string,
  options: Pick<AppErrorOptions, "hint"> = {},
): JsonObject {
  const bad = (why: string, cause?: unknown) =>
    new AppError("bad-configuration", `${variable} is '${path}', which ${why}`, { ...options, cause });
  let text: string;
  try {
    const file = statSync(path);
    // The read of a pipe or a device could block the server.
    if (!file.isFile()) throw bad("is not a regular file");
    if (file.size > BYTES_MAX) throw bad("is larger than 4 MiB");
    // The decoder drops the byte order mark that Windows editors write.
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw bad(cause instanceof TypeError ? "is not UTF-8: save it as UTF-8" : "cannot be read", cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = (cause as Error).message.replace(/^JSON Parse error: /, "").replace(/ ".*$/s, "");
    throw bad(`is not JSON: ${reason}`);
  }
  if (isObject(value)) return value;
  throw bad("is not a JSON object");
}
