import { shellWords } from "../text.ts";
import { bringUp } from "./converge.ts";
import { refuseUnsure, takeAll } from "./down.ts";
import { createOperations } from "./operations.ts";
import { stepsOf } from "./plan.ts";
import { printDown, printUp } from "./print.ts";
import { rehearse } from "./rehearse.ts";
import { type NetworkDeps, plan, type Setting, survey, surveyRules } from "./setting.ts";
import { type Asked, FOLDER, statePath } from "./state.ts";
import { refuseStrangers } from "./strangers.ts";

/**
 * Prints the commands that `up` would run now. Where it may not be asked what stands, those of a machine where nothing does.
 *
 * @throws AppError as `up` does
 */
export async function printOfUp(asked: Asked, deps: NetworkDeps): Promise<void> {
  const first = await survey(deps.env);
  const isSeen = (await maySee(first)) && (first.backend !== undefined || asked.loopback);
  const setting = isSeen ? await surveyRules(deps.env) : first;
  const { machine, iptables, rules } = setting;
  refuseStrangers(rules, iptables);
  const { plan: wanted, bridges, notes } = await plan(asked, setting, deps);
  refuseUnsure(setting.unsure.filter((name) => !bridges.includes(name)));
  for (const note of notes) deps.err(`note: ${note}\n`);
  if (!isSeen) {
    if (setting.made.length > 0) deps.err(`note: this is for a machine where nothing stands; ${UNSEEN}\n`);
    return deps.out(printUp(stepsOf([wanted]), iptables));
  }
  const { operations, made, taken } = rehearse(createOperations(machine), machine);
  const changes = await bringUp(wanted, { plans: setting.made, write: () => {} }, operations);
  if (changes === 0) deps.err("note: nothing to change: all of it stands\n");
  deps.out(printUp(made, iptables));
  if (taken.length > 0) deps.out(`# what an earlier up made and is not asked for now\n${printDown(taken, iptables)}`);
}

/**
 * Prints the commands that `down` would run now. Where it may not be asked what stands, those for all that the state names.
 *
 * @throws AppError as `down` does
 */
export async function printOfDown(deps: NetworkDeps): Promise<void> {
  const first = await survey(deps.env);
  if (!(await maySee(first))) {
    const what =
      first.made.length > 0 ? "this is for a machine where all of it stands" : "no state file names anything";
    deps.err(`note: ${what}; ${UNSEEN}\n`);
    return deps.out(printDown(stepsOf(first.made).toReversed(), first.iptables) + printForget(first));
  }
  const setting = await surveyRules(deps.env);
  const { operations, taken } = rehearse(createOperations(setting.machine), setting.machine);
  if ((await takeAll(setting, () => {}, operations)) === 0) deps.err("note: nothing of network up stands\n");
  deps.out(printDown(taken, setting.iptables) + printForget(setting));
}

/** A state that stays would have the next `down` close what somebody else opened since. */
function printForget({ state }: Setting): string {
  return state === undefined ? "" : `${shellWords(["rm", "-f", statePath(FOLDER)])}\n`;
}

const UNSEEN = "what stands is shown to root only: run it with sudo";

/** Whether rules are shown to this process: root in a container has not the right to. */
async function maySee({ backend, machine }: Setting): Promise<boolean> {
  if (process.geteuid?.() !== 0) return false;
  if (backend === undefined) return true;
  const { output } = await machine.run(["iptables", "-w", "5", "-t", "filter", "-S", "INPUT"]);
  return !/permission denied/i.test(output);
}
