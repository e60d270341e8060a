import { AppError } from "../errors.ts";
import { shellWords } from "../text.ts";
import { chainAtEnd } from "./listed-rules.ts";
import { isOurChain, isOurs } from "./ours.ts";
import type { TableRule } from "./tables.ts";

const SHOWN_MAX = 3;

/** A rule in a chain of our name, or one that leads to such a chain, that no `up` made. */
interface Stranger {
  readonly table: string;
  /** What iptables takes behind `-A` or `-D`, as a shell takes it: a comment may say anything. */
  readonly rule: string;
}

/** What somebody else put into our chains, or hung them to: it would go with them, or keep them from going. */
export function findStrangers(rules: readonly TableRule[]): readonly Stranger[] {
  const strangers = rules.filter((rule) => {
    const isAbout = isOurChain(rule.table, rule.chain) || isOurChain(rule.table, chainAtEnd(rule));
    return isAbout && !isOurs(rule);
  });
  return strangers.map(({ table, chain, words }) => {
    // A terminal obeys control characters.
    const shown = [chain, ...words].map((word) => word.replace(/\p{Cc}/gu, "?"));
    return { table, rule: shellWords(shown) };
  });
}

/**
 * Refuses to go on where a change of ours would be one of somebody else's.
 *
 * @param iptables what the program is called that has these rules
 * @throws AppError `network-failed` with the rules and the commands that take them away
 */
export function refuseStrangers(tables: readonly TableRule[], iptables: string): void {
  const all = findStrangers(tables);
  if (all.length === 0) return;
  const shown = all.slice(0, SHOWN_MAX);
  const more = all.length > SHOWN_MAX ? `, and ${all.length - SHOWN_MAX} more` : "";
  const rules = shown.map(({ table, rule }) => `${rule} (${table})`).join(", ");
  const commands = shown.map(({ table, rule }) => `${iptables} -t ${table} -D ${rule}`).join("; ");
  throw new AppError(
    "network-failed",
    `network up did not make what is in its chains, or leads there: ${rules}${more}; nothing was changed`,
    { hint: `take it away with ${commands}; then run this again` },
  );
}
