import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dir, "..", "golden");

/**
 * The bytes of a document of test/golden, without the line breaks and blanks that make it readable. Numbers and escapes
 * are left as they are written. With UPDATE_GOLDEN=1 the file is written anew from `body` first, to be read in review.
 */
export function golden(name: string, body: string): string {
  const path = join(FOLDER, `${name}.json`);
  if (Bun.env.UPDATE_GOLDEN === "1") writeFileSync(path, pretty(body));
  return minify(readFileSync(path, "utf8"));
}

/** Tokens of JSON: texts whole, marks one by one, and what stands between. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

function minify(text: string): string {
  return (text.match(TOKENS) ?? []).join("");
}

function pretty(text: string): string {
  let indent = "";
  let last = "";
  let written = "";
  for (const token of text.match(TOKENS) ?? []) {
    const opens = last === "{" || last === "[";
    const closes = token === "}" || token === "]";
    if (closes) indent = indent.slice(2);
    if ((opens && !closes) || (closes && !opens) || last === ",") written += `\n${indent}`;
    written += token === ":" ? ": " : token;
    if (token === "{" || token === "[") indent += "  ";
    last = token;
  }
  return `${written}\n`;
}
