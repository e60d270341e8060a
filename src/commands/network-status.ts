import { createOperations } from "../network/operations.ts";
import { stepsOf } from "../network/plan.ts";
import type { Asked } from "../network/state.ts";
import { keyOf } from "../network/step.ts";
import { ASKED_BY_DEFAULT } from "./network-request.ts";
import { type NetworkDeps, noteUnsure, plan, type Setting, surveyRules } from "./network-setting.ts";

/** A thing that has to stand, and whether it does. */
export interface StatusLine {
  readonly what: string;
  readonly stands: boolean;
}

/** One line a thing, for people. */
export function statusText(lines: readonly StatusLine[], notes: readonly string[]): string {
  const missing = lines.filter(({ stands }) => !stands).length;
  const end = missing === 0 ? "all stands" : `${missing} of ${lines.length} are missing: run network up`;
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
 * @throws AppError `bad-configuration`, `network-failed`, the engine's
 */
export async function look(setting: Setting, given: Asked | undefined, deps: NetworkDeps): Promise<Standing> {
  const { state, backend, machine } = setting;
  const { plan: wanted, notes } = await plan(given ?? state?.asked ?? ASKED_BY_DEFAULT, setting, deps);
  const steps = stepsOf([wanted]);
  const operations = createOperations(machine);
  const lines: StatusLine[] = [];
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
  return { lines, notes, left };
}

/**
 * Says what stands of what is asked for, or of what `up` was told.
 *
 * @returns the exit code: 1 where something is missing
 * @throws AppError `bad-configuration`, `network-failed`, the engine's
 */
export async function status(isJson: boolean, given: Asked | undefined, deps: NetworkDeps): Promise<number> {
  const setting = await surveyRules(deps.env);
  const { lines, notes, left } = await look(setting, given, deps);
  deps.out((isJson ? statusJson : statusText)(lines, [...notes, ...left, ...noteUnsure(setting)]));
  return lines.every(({ stands }) => stands) ? 0 : 1;
}
