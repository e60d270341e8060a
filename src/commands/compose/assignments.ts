import { AppError } from "../../errors.ts";

/** A variable of an env file, before what its value names is put in. */
interface Assignment {
  readonly name: string;
  readonly text: string;
  /** Whether a `$` in it is nothing but that. */
  readonly isRaw: boolean;
}

const NAME = /[^\S\n]*(?:export[^\S\n]+)?([A-Za-z_][\w.-]*)[^\S\n]*(?:([=:])[^\S\n]*)?/y;
const ESCAPED: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", $: "$$" };

/**
 * What an env file assigns, read as Compose's own godotenv reads it: a quoted value goes on over the ends of lines to the
 * quote that closes it, so that nothing in it is taken for an assignment. What is none is passed over, a line at a time.
 *
 * @param path for the error
 * @throws AppError `command-failed` for a quote without its end
 */
export function* assignments(text: string, path: string): Generator<Assignment> {
  for (let at = 0; at < text.length; ) {
    NAME.lastIndex = at;
    const [all = "", name, sign] = NAME.exec(text) ?? [];
    const start = at + all.length;
    const quote = sign === undefined ? "" : text.charAt(start);
    if (name !== undefined && (quote === '"' || quote === "'")) {
      const end = closing(text, start + 1, quote);
      if (end === -1) throw new AppError("command-failed", `${path}: ${name} has a quote without its end`);
      yield { name, text: unescaped(text.slice(start + 1, end), quote), isRaw: quote === "'" };
      at = end + 1;
      continue;
    }
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    const rest = text.slice(start, end);
    if (name !== undefined && sign !== undefined) yield { name, text: uncommented(rest), isRaw: false };
    else if (name !== undefined && /^(#|$)/.test(rest)) yield { name, text: "", isRaw: true };
    at = end + 1;
  }
}

function closing(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === quote) return at;
  }
  return -1;
}

function unescaped(text: string, quote: string): string {
  if (quote === "'") return text.replaceAll("\\'", "'");
  return text.replace(/\\(["\\nrt$])/g, (_, character: string) => ESCAPED[character] ?? character);
}

function uncommented(text: string): string {
  const comment = text.indexOf(" #");
  return (comment === -1 ? text : text.slice(0, comment)).trimEnd();
}
