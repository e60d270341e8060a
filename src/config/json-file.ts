import { readFileSync } from "node:fs";
import { AppError, type AppErrorOptions } from "../errors.ts";

export type JsonObject = { readonly [key: string]: unknown };

/** An object of JSON: neither a list nor null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads a file that a variable names and that holds one JSON object.
 *
 * @param options.hint of the error
 * @throws AppError `bad-configuration` with the variable, the path, the line and column of what is no JSON, and the
 *   reason; it quotes nothing of the file, which may hold secrets
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
    // This takes away the byte order mark with which editors of Windows begin a file.
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    throw bad(cause instanceof TypeError ? "is not UTF-8: save it as that" : "cannot be read", cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = (cause as Error).message.replace(/^JSON Parse error: /, "").replace(/ ".*$/s, "");
    throw bad(`is not JSON (${placeOfFault(text)}: ${reason})`);
  }
  if (isObject(value)) return value;
  throw bad("holds no JSON object");
}

const STRING = /"(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/uy;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Where a text stops being JSON, as `line 3, column 7`: Bun's own message does not say it. */
export function placeOfFault(text: string): string {
  let at = 0;

  function take(pattern: RegExp): boolean {
    while (/[ \t\r\n]/.test(text.charAt(at))) at += 1;
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  }
  function list(item: () => boolean, end: RegExp): boolean {
    if (take(end)) return true;
    do if (!item()) return false;
    while (take(/,/y));
    return take(end);
  }
  function value(): boolean {
    if (take(/\{/y)) return list(() => take(STRING) && take(/:/y) && value(), /\}/y);
    if (take(/\[/y)) return list(value, /\]/y);
    return take(STRING) || take(SCALAR);
  }

  if (value()) take(/$/y);
  const before = text.slice(0, at).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
