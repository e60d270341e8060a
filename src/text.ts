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

/** @returns undefined where nothing in it has to be escaped */
export function escaped(text: string): string | undefined {
  if (oneLine(text) === text) return undefined;
  return `"${text.replace(/["\\]/g, "\\$&").replace(BREAKING, byNumber)}"`;
}

function byNumber(character: string): string {
  return `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, "0")}`;
}

/**
 * A command as a shell takes it, each word quoted where it has to be: what is printed to be copied may carry names that
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
