import { shellWords } from "../text.ts";
import { isInterface } from "./bridges.ts";
import { createOperations } from "./operations.ts";
import { ASKED_BY_DEFAULT, optionsOf } from "./options.ts";
import { stepsOf } from "./plan.ts";
import { type NetworkDeps, noteUnsure, plan, type Setting, surveyRules } from "./setting.ts";
import type { Asked } from "./state.ts";
import { keyOf } from "./step.ts";
import { findStrangers } from "./strangers.ts";

/** What `status` notes where the state is gone and the rules are not. */
export const LOST = "the state file of network up is gone, and this is what its rules say: run network up again";

/** A thing that has to stand, and whether it does. */
interface StatusLine {
  readonly what: string;
  readonly stands: boolean;
}

/**
 * One line a thing, for people.
 *
 * @param options that make `up` make what is missing
 */
export function statusText(
  lines: readonly StatusLine[],
  notes: readonly string[],
  options: readonly string[] = [],
): string {
  const missing = lines.filter(({ stands }) => !stands).length;
  const end =
    missing === 0
      ? "all stands"
      : `${missing} of ${lines.length} are missing: run ${shellWords(["network", "up", ...options])}`;
  return [
    ...lines.map(({ what, stands }) => `${stands ? "ok     " : "missing"}  ${what}`),
    ...notes.map((note) => `note     ${note}`),
    `${end}\n`,
  ].join("\n");
}

/** The same for programs. */
export function statusJson(lines: readonly StatusLine[], notes: readonly string[]): string {
  return `${JSON.stringify({ stands: lines.every(({ stands }) => stands), things: lines, notes })}\n`;
}

/** What stands of what is asked for, and what else the user should know. */
export interface Standing {
  readonly lines: readonly StatusLine[];
  readonly notes: readonly string[];
  /** What stands of an earlier `up` and is not asked for now. */
  readonly left: readonly string[];
}

/**
 * Looks at each thing that is asked for, or that `up` was told to make.
 *
 * @returns it, and the options of an `up` that makes what is missing
 * @throws AppError `bad-configuration`, `network-failed`, the engine's
 */
export async function look(
  setting: Setting,
  given: Asked | undefined,
  deps: NetworkDeps,
): Promise<Standing & { readonly options: readonly string[] }> {
  const { backend, machine } = setting;
  const told = setting.asked ?? ASKED_BY_DEFAULT;
  const isNamed = given !== undefined && (given.loopback || given.bridges !== undefined);
  const asked = isNamed ? given : { ...told, ...given };
  // What up was told may be gone since; who names it now is wrong.
  const gone = isNamed ? [] : (asked.bridges ?? []).filter((name) => !isInterface(name));
  const bridges = asked.bridges?.filter((name) => !gone.includes(name));
  const here = { ...asked, ...(bridges && { bridges }) };
  const { plan: wanted, notes } = await plan(here, setting, deps);
  const steps = stepsOf([wanted]);
  const operations = createOperations(machine);
  const lines: StatusLine[] = gone.map((name) => ({
    what: `the interface ${name}, which up was told of, is on this machine`,
    stands: false,
  }));
  for (const step of steps) {
    const isHere = step.kind === "address" || step.kind === "sysctl" || backend !== undefined;
    lines.push({ what: step.what, stands: isHere && (await operations.stands(step)) });
  }
  const left: string[] = [];
  const planned = new Set(steps.map(keyOf));
  for (const step of stepsOf(setting.made)) {
    if (!planned.has(keyOf(step)) && (await operations.stands(step)))
      left.push(`left over from an earlier up: ${step.what}`);
  }
  return { lines, notes, left, options: optionsOf(here) };
}

/**
 * Says what stands of what is asked for, or of what `up` was told.
 *
 * @returns the exit code: 1 where something is missing
 * @throws AppError `bad-configuration`, `network-failed`, the engine's
 */
export async function status(isJson: boolean, given: Asked | undefined, deps: NetworkDeps): Promise<number> {
  const setting = await surveyRules(deps.env);
  const { lines, notes, left, options } = await look(setting, given, deps);
  const lost = setting.state === undefined && setting.made.length > 0 ? [LOST] : [];
  const others = findStrangers(setting.rules).map(
    ({ table, rule }) => `not of network up, and in the way of it: ${rule} (${table})`,
  );
  const all = [...notes, ...lost, ...left, ...others, ...noteUnsure(setting)];
  deps.out(isJson ? statusJson(lines, all) : statusText(lines, all, options));
  return lines.every(({ stands }) => stands) ? 0 : 1;
}
