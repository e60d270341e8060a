import { AppError } from "../errors.ts";
import { shellWords } from "../shell-words.ts";
import { chainAtEnd, optionOf, readRules } from "./listed-rules.ts";
import type { Machine } from "./machine.ts";
import { CHAINS, MARK } from "./plan.ts";

const OURS = new Map(Object.values(CHAINS).map(({ table, chain }) => [chain as string, table]));
const SHOWN_MAX = 3;

/** A rule in a chain of our name, or one that leads to such a chain, that no `up` made. */
export interface Stranger {
  readonly table: string;
  /** What iptables takes behind `-A` or `-D`, as a shell takes it: a comment may say anything. */
  readonly rule: string;
}

/** What somebody else put into our chains, or hung them to: it would go with them, or keep them from going. */
export async function findStrangers(machine: Machine): Promise<readonly Stranger[]> {
  const found: Stranger[] = [];
  for (const table of new Set(OURS.values())) {
    const { exitCode, output } = await machine.run(["iptables", "-w", "5", "-t", table, "-S"]);
    // A table that is not there has none, and of one with rules that iptables cannot read nothing is known.
    if (exitCode !== 0) continue;
    for (const rule of readRules(output)) {
      const isAbout = OURS.get(rule.chain) === table || OURS.get(chainAtEnd(rule) ?? "") === table;
      if (!isAbout || optionOf(rule, "--comment") === MARK) continue;
      // A terminal obeys control characters.
      const words = [rule.chain, ...rule.words].map((word) => word.replace(/\p{Cc}/gu, "?"));
      found.push({ table, rule: shellWords(words) });
    }
  }
  return found;
}

/**
 * Refuses to go on where a change of ours would be one of somebody else's.
 *
 * @param iptables what the program is called that has these rules
 * @throws AppError `network-failed` with the rules and the commands that take them away
 */
export async function refuseStrangers(machine: Machine, iptables: string): Promise<void> {
  const all = await findStrangers(machine);
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
