import { isSameRule, readRules } from "./listed-rules.ts";
import type { Machine } from "./machine.ts";
import type { Operations } from "./operations.ts";
import { commandToCheck, type RuleStep, type Step } from "./step.ts";

/** What would be done, in order. */
interface Rehearsal {
  readonly operations: Operations;
  readonly made: readonly Step[];
  readonly taken: readonly Step[];
}

/** Operations that look at the machine as the real ones do and change nothing, but keep what those would have done. */
export function rehearse({ stands, isOurs }: Operations, machine: Machine): Rehearsal {
  const [made, taken]: [Step[], Step[]] = [[], []];
  return {
    operations: {
      ...{ stands, isOurs },
      make: async (step) => void made.push(step),
      async takeAway(step) {
        if (!(await isOurs(step))) return false;
        if (step.kind === "sysctl") taken.push({ ...step, bridge: machine.nameOf(step.ifindex) ?? step.bridge });
        else taken.push(...Array<Step>(step.kind === "rule" ? await countOf(step, machine) : 1).fill(step));
        return true;
      },
    },
    ...{ made, taken },
  };
}

/** How many times a rule stands that does: each is taken away by itself. */
async function countOf({ what, table, chain, rule }: RuleStep, machine: Machine): Promise<number> {
  const { output } = await machine.run(commandToCheck({ kind: "chain", what, table, chain }));
  const same = readRules(output).filter((listed) => listed.chain === chain && isSameRule(listed.words, rule));
  return Math.max(1, same.length);
}
