import type { Environment } from "../../config/config.ts";
import { AppError } from "../../errors.ts";
import { beyondUs } from "./own-limit.ts";

/** The forms of the Compose specification: `$$`, `$NAME`, `${NAME}` and `${NAME` with an operator and a text. */
const NAME = /^[A-Za-z_]\w*/;

/** Defaults in defaults: each is looked through again for its end. */
const DEPTH_MAX = 32;

/**
 * Puts variables into a text as Compose does. One that is not set is empty.
 *
 * @param where the text's place, for errors: the text itself may be a secret
 * @throws AppError `command-failed` for `${NAME:?text}` without a value, and for a brace that is not closed
 */
export function interpolate(text: string, env: Environment, where: string, depth = 0): string {
  if (depth > DEPTH_MAX) throw beyondUs(`${where} has more than ${DEPTH_MAX} \${ in each other`);
  let result = "";
  for (let at = 0; at < text.length; ) {
    const dollar = text.indexOf("$", at);
    if (dollar === -1) return result + text.slice(at);
    result += text.slice(at, dollar);
    const rest = text.slice(dollar + 1);
    if (rest.startsWith("{")) {
      const end = closingBrace(rest);
      if (end === -1) throw new AppError("command-failed", `${where} has a \${ without its }`);
      result += expand(rest.slice(1, end), env, where, depth);
      at = dollar + 2 + end;
    } else {
      const name = NAME.exec(rest)?.[0];
      result += name === undefined ? "$" : (env[name] ?? "");
      at = dollar + 1 + (name?.length ?? (rest.startsWith("$") ? 1 : 0));
    }
  }
  return result;
}

function expand(inside: string, env: Environment, where: string, depth: number): string {
  const name = NAME.exec(inside)?.[0] ?? "";
  const [, colon, operator, text = ""] = /^(:?)([-?+])(.*)$/s.exec(inside.slice(name.length)) ?? [];
  const value = env[name];
  const isSet = colon ? !!value : value !== undefined;
  if (operator === "+") return isSet ? interpolate(text, env, where, depth + 1) : "";
  if (isSet) return value ?? "";
  if (operator === "-") return interpolate(text, env, where, depth + 1);
  if (operator !== "?") return "";
  throw new AppError("command-failed", `${where} needs the variable ${name}`, {
    hint: `set ${name} as for docker compose up`,
  });
}

/** Where the brace that a text begins with is closed. */
function closingBrace(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "{") depth += 1;
    else if (text[at] === "}") depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

/**
 * The same for every text in a document.
 *
 * @param file named in errors, with the keys that lead to the text
 */
export function interpolateAll(document: unknown, env: Environment, file: string): unknown {
  const all = (value: unknown, keys: readonly string[]): unknown => {
    if (typeof value === "string") {
      return value.includes("$") ? interpolate(value, env, `${file}: ${keys.join(".")}`) : value;
    }
    if (Array.isArray(value)) return value.map((entry, index) => all(entry, [...keys, String(index)]));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, all(entry, [...keys, key])]));
  };
  return all(document, []);
}
