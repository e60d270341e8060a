import { isSameRule } from "./listed-rules.ts";
import { CHAINS, MARK, planFrame } from "./plan.ts";
import type { TableRule } from "./tables.ts";

const MARKED = ["-m", "comment", "--comment", MARK, "-j"];
const JUMPS = planFrame().flatMap((step) => (step.kind === "rule" ? [step] : []));

/** Whether a chain is called as one of ours. */
export function isOurChain(table: string, chain: string | undefined): boolean {
  return Object.values(CHAINS).some((ours) => ours.table === table && ours.chain === chain);
}

/**
 * Whether `up` made a rule: one of our chains by its only comment, which ours have last, where no text of another match can be
 * taken for it, and one elsewhere by all that it says.
 */
export function isOurs({ table, chain, words }: TableRule): boolean {
  if (isOurChain(table, chain)) {
    const at = words.indexOf("--comment");
    return at === words.lastIndexOf("--comment") && Bun.deepEquals(words.slice(at - 2, at + 3), MARKED);
  }
  return JUMPS.some((jump) => jump.table === table && jump.chain === chain && isSameRule(jump.rule, words));
}
