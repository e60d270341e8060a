import { AppError } from "./errors.ts";

/** Control and format characters, halves of pairs, and what older YAML takes for the end of a line. */
const BREAKING = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A project's words as a comment or a message may have them: on one line, with nothing that a terminal obeys. */
export function oneLine(text: string): string {
  return text.replace(BREAKING, "?");
}

/** What is done, with an error of it on one line for each of its two sentences. */
export function failingOnOneLine<T>(what: () => T): T {
  try {
    return what();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, publicMessage, hint, cause } = error;
    throw new AppError(code, oneLine(publicMessage), { cause, ...(hint === undefined ? {} : { hint: oneLine(hint) }) });
  }
}

/** Words that YAML 1.1 or 1.2 reads as a boolean or as null. */
const YAML_WORD = /^(true|false|yes|no|on|off|y|n|null)$/i;

/** A text as a YAML scalar on one line, quoted unless every YAML version reads it as this string. */
export function yamlString(text: string): string {
  if (/^[a-z/][\w./:@=+~-]*[\w./]$/i.test(text) && !YAML_WORD.test(text)) return text;
  return `"${text.replace(/["\\]/g, "\\$&").replace(BREAKING, byNumber)}"`;
}

function byNumber(character: string): string {
  return `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, "0")}`;
}

/**
 * A command as a shell takes it, each word quoted if it has to be: what is printed to be copied may carry names that
 * others chose.
 */
export function shellWords(words: readonly string[]): string {
  return words
    .map((word) => (/^([\w@%+=:,./-]+|!)$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}

/**
 * An address as an error may quote it, readable or not: whatever stands before its last `@`, where a password may be, is
 * `***`.
 */
export function withoutUserinfo(address: string): string {
  return address.replace(/^([a-z][a-z\d+.-]*:\/\/)?.*@/is, "$1***@");
}

/** What a command that is not the server prints. */
export interface CommandOutput {
  /** Chunks, each with its newline. */
  readonly stdout: readonly string[];
  /** Lines, each starting with `warning:`, `hint:` or neither. */
  readonly stderr: readonly string[];
}

/** A text of at most so many characters, with an ellipsis for the rest. */
export function truncate(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}…` : text;
}
