import { AppError } from "../errors.ts";
import type { Operations } from "./operations.ts";
import { type Plan, stepsOf } from "./plan.ts";
import { keyOf, type Step } from "./step.ts";

/** Every plan of which something may stand, oldest first. It is written before what it names is made. */
export interface Journal {
  readonly plans: readonly Plan[];
  readonly write: (plans: readonly Plan[]) => void;
}

/**
 * Makes exactly the steps of a plan stand of those that are ours. A failure leaves what stood before this call. Killed anywhere,
 * the journal names all that may stand, so that the next call, or {@link takeDown}, ends right.
 *
 * @returns how many steps were made or taken away
 * @throws AppError `network-failed`
 */
export async function bringUp(plan: Plan, journal: Journal, operations: Operations): Promise<number> {
  const before = stepsOf(journal.plans);
  const wanted = stepsOf([plan]);
  const kept = new Set(wanted.map(keyOf));
  const stale = before.filter((step) => !kept.has(keyOf(step)));
  // What was there before us may be another thing by now.
  const added = wanted.filter((step) => !before.some((known) => Bun.deepEquals(known, step)));
  if (added.length > 0) journal.write([...journal.plans, plan]);
  // Each is noted before it is done: a command that failed may have done it.
  const [made, taken]: [Step[], Step[]] = [[], []];
  try {
    for (const step of wanted) {
      if (await operations.stands(step)) continue;
      made.push(step);
      await operations.make(step);
    }
    for (const step of stale.toReversed()) {
      if (!(await operations.stands(step))) continue;
      taken.push(step);
      await operations.takeAway(step);
    }
  } catch (cause) {
    throw await rolledBack(cause, { made, taken }, () => journal.write(journal.plans), operations);
  }
  if (added.length > 0 || stale.length > 0) journal.write([plan]);
  return made.length + taken.length;
}

async function rolledBack(
  cause: unknown,
  { made, taken }: { readonly made: readonly Step[]; readonly taken: readonly Step[] },
  restoreJournal: () => void,
  operations: Operations,
): Promise<unknown> {
  try {
    for (const step of taken.toReversed()) if (!(await operations.stands(step))) await operations.make(step);
    for (const step of made.toReversed()) await operations.takeAway(step);
    restoreJournal();
  } catch (second) {
    if (!(cause instanceof AppError) || !(second instanceof AppError)) return cause;
    return new AppError("network-failed", `${cause.publicMessage}; then undoing failed: ${second.publicMessage}`, {
      hint: "mend what it names and run network down, which takes the rest away",
      cause,
    });
  }
  return cause;
}

/**
 * Takes away all that is ours, last made first, and stops at what fails: what keeps strangers out must not go before what
 * lets them in.
 *
 * @param frame steps that are known to be ours without a journal
 * @returns how many stood
 * @throws AppError `network-failed`
 */
export async function takeDown(journal: Journal, frame: readonly Step[], operations: Operations): Promise<number> {
  const made = stepsOf(journal.plans);
  const known = new Set(made.map(keyOf));
  const steps = [...frame.filter((step) => !known.has(keyOf(step))), ...made];
  let taken = 0;
  for (const step of steps.toReversed()) if (await operations.takeAway(step)) taken += 1;
  journal.write([]);
  return taken;
}
