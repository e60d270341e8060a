import type { Machine } from "./machine.ts";
import { isOthers, type Operations } from "./operations.ts";
import type { Step } from "./step.ts";

/** What would be done, in order. */
export interface Rehearsal {
  readonly operations: Operations;
  readonly made: readonly Step[];
  readonly taken: readonly Step[];
}

/** Operations that look at the machine as the real ones do and change nothing, but keep what those would have done. */
export function rehearse({ stands }: Operations, machine: Machine): Rehearsal {
  const [made, taken]: [Step[], Step[]] = [[], []];
  return {
    operations: {
      stands,
      make: async (step) => void made.push(step),
      async takeAway(step) {
        if (isOthers(step) || !(await stands(step))) return false;
        taken.push(step.kind === "sysctl" ? { ...step, bridge: machine.nameOf(step.ifindex) ?? step.bridge } : step);
        return true;
      },
    },
    ...{ made, taken },
  };
}
