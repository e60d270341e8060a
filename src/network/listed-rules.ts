/** A rule as `iptables -S` lists it. */
export interface ListedRule {
  readonly chain: string;
  /** Behind the chain's name, without the quotes that they are listed in. */
  readonly words: readonly string[];
}

/**
 * A word, or the end of a line. What has more than letters, digits, - and _ may stand in double quotes, with a backslash before a
 * quote or a backslash, and go over lines. A quote that is closed in the middle of a word is none: -m string escapes no backslash.
 */
const WORD = /"((?:[^"\\]|\\.)*)"(?=\s|$)|[^ \n]+|\n/gs;

/**
 * Reads what `iptables -S` says. Text of a comment is one word, whatever it looks like.
 *
 * @returns the rules in their order, without policies and chains
 */
export function readRules(output: string): readonly ListedRule[] {
  const lines: string[][] = [[]];
  for (const [word, quoted] of output.matchAll(WORD)) {
    if (word === "\n") lines.push([]);
    else lines.at(-1)?.push(quoted?.replace(/\\(["'\\])/g, "$1") ?? word);
  }
  return lines.flatMap(([verb, chain = "", ...words]) => (verb === "-A" ? [{ chain, words }] : []));
}

/** @returns what stands behind an option, unless that is negated; undefined where the rule has it not */
export function optionOf({ words }: ListedRule, option: string): string | undefined {
  const at = words.indexOf(option);
  return at < 0 || words[at - 1] === "!" ? undefined : words[at + 1];
}

/** @returns the chain of somebody's own that a rule leads to: nothing can stand behind it, as it may behind a target */
export function chainAtEnd({ words }: ListedRule): string | undefined {
  return ["-j", "-g"].includes(words.at(-2) ?? "") ? words.at(-1) : undefined;
}

/** Whether two rules say the same, whatever the order of their options. */
export function isSameRule(one: readonly string[], other: readonly string[]): boolean {
  return Bun.deepEquals(optionsOf(one), optionsOf(other));
}

/** Each with its negation and its values. */
function optionsOf(words: readonly string[]): readonly string[] {
  return words
    .join("\0")
    .split(/\0(?=!|(?<!!\0)-)/)
    .toSorted();
}
