import { AppError } from "../errors.ts";
import { shellWords } from "../text.ts";
import { type Journal, takeDown } from "./converge.ts";
import { createOperations, type Operations } from "./operations.ts";
import { ASKED_BY_DEFAULT } from "./options.ts";
import { planFrame } from "./plan.ts";
import { journalOf, type NetworkDeps, type Setting, surveyRules } from "./setting.ts";
import { commandsToUndo } from "./step.ts";
import { refuseStrangers } from "./strangers.ts";

/**
 * Takes away what `up` made.
 *
 * @throws AppError `network-failed`
 */
export async function down(deps: NetworkDeps): Promise<void> {
  const setting = await surveyRules(deps.env);
  const write = journalOf(setting, setting.asked ?? ASKED_BY_DEFAULT).write;
  const taken = await takeAll(setting, write, createOperations(setting.machine));
  const things = taken === 1 ? "1 thing" : `${taken} things`;
  deps.out(taken === 0 ? "nothing of network up stands\n" : `what network up made is taken away: ${things}\n`);
}

/**
 * What `down` does, with operations that do it or only keep it.
 *
 * @returns how many things stood
 * @throws AppError `network-failed` before anything is done where a change would be one of somebody else's
 */
export async function takeAll(
  { made, unsure, backend, iptables, rules }: Setting,
  write: Journal["write"],
  operations: Operations,
): Promise<number> {
  refuseStrangers(rules, iptables);
  refuseUnsure(unsure);
  return takeDown({ plans: made, write }, backend === undefined ? [] : planFrame(), operations);
}

/**
 * What keeps strangers out must not go while a bridge is open that may be so by us.
 *
 * @throws AppError `network-failed` with both ways out
 */
export function refuseUnsure(bridges: readonly string[]): void {
  if (bridges.length === 0) return;
  const close = bridges.flatMap((bridge) =>
    commandsToUndo({ kind: "sysctl", what: "", bridge, ifindex: 1, was: "0" }).map(shellWords),
  );
  const keep = shellWords(bridges.flatMap((name) => ["--bridge", name]));
  throw new AppError(
    "network-failed",
    `route_localnet is 1 on ${bridges.join(", ")}, and no state file says whether it was before network up: all was left, because the rules guard it`,
    {
      hint: `close it with ${close.join("; ")}, or have it stay open with network up ${keep}; then run this again`,
    },
  );
}
