import type { Environment } from "../../config.ts";
import { AppError } from "../../errors.ts";

/** The forms of the Compose specification: `$$`, `$NAME`, `${NAME}` and `${NAME` with an operator and a text. */
const NAME = /^[A-Za-z_]\w*/;

/**
 * Puts variables into a text as Compose does. One that is not set is empty.
 *
 * @throws AppError `command-failed` for `${NAME:?text}` without a value, and for a brace that is not closed
 */
export function interpolate(text: string, env: Environment): string {
  let result = "";
  for (let at = 0; at < text.length; ) {
    const dollar = text.indexOf("$", at);
    if (dollar === -1) return result + text.slice(at);
    result += text.slice(at, dollar);
    const rest = text.slice(dollar + 1);
    if (rest.startsWith("{")) {
      const end = closingBrace(rest);
      if (end === -1) throw new AppError("command-failed", `'${text}' has a \${ without its }`);
      result += expand(rest.slice(1, end), env);
      at = dollar + 2 + end;
    } else {
      const name = NAME.exec(rest)?.[0];
      result += name === undefined ? "$" : (env[name] ?? "");
      at = dollar + 1 + (name?.length ?? (rest.startsWith("$") ? 1 : 0));
    }
  }
  return result;
}

function expand(inside: string, env: Environment): string {
  const name = NAME.exec(inside)?.[0] ?? "";
  const [, colon, operator, text = ""] = /^(:?)([-?+])(.*)$/s.exec(inside.slice(name.length)) ?? [];
  const value = env[name];
  const isSet = colon ? !!value : value !== undefined;
  if (operator === "+") return isSet ? interpolate(text, env) : "";
  if (isSet) return value ?? "";
  if (operator === "-") return interpolate(text, env);
  if (operator !== "?") return "";
  throw new AppError("command-failed", `the project needs the variable ${name}: ${interpolate(text, env)}`, {
    hint: `set ${name} as for docker compose up`,
  });
}

/** Where the brace that a text begins with is closed. */
function closingBrace(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text.startsWith("${", at - 1) && at > 0) depth += 1;
    else if (at === 0) depth += 1;
    else if (text[at] === "}") depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

/** The same for every text in a document. */
export function interpolateAll(value: unknown, env: Environment): unknown {
  if (typeof value === "string") return value.includes("$") ? interpolate(value, env) : value;
  if (Array.isArray(value)) return value.map((entry) => interpolateAll(entry, env));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, interpolateAll(entry, env)]));
}
