const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`|[{}]|(?<=[=(,:!&|?;\n]\s*|return )\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//g;

/**
 * The texts that a TypeScript source holds, in single and double quotes and in backticks; of the latter what stands
 * between two `${}` is a text of its own. Comments and regular expressions are passed over.
 */
export function literalsOf(source: string): readonly string[] {
  const found: string[] = [];
  /** How deep in braces each `${` that is open began. */
  const holes: number[] = [];
  let depth = 0;
  let at = 0;

  /** Reads a template from behind its backtick or `}` to its next `${` or its end. */
  function template(from: number): void {
    const [text = ""] = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y.exec(source.slice(from)) ?? [];
    found.push(text.replace(/\\(.)/g, "$1"));
    at = from + text.length;
    if (source.startsWith("${", at)) {
      holes.push(depth);
      at += 2;
    } else at += 1;
  }

  for (;;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    if (match === null) return found;
    const [token] = match;
    at = TOKEN.lastIndex;
    if (token === "`") template(at);
    else if (token === "{") depth += 1;
    else if (token === "}" && holes.at(-1) === depth) {
      holes.pop();
      template(at);
    } else if (token === "}") depth -= 1;
    else if (/^["']/.test(token)) found.push(token.slice(1, -1).replace(/\\(.)/g, "$1"));
  }
}
