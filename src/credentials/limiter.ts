import { AppError } from "../errors.ts";

/**
 * Lets a bounded number of pieces of work run at once; a bounded number waits, each for its turn.
 *
 * @returns a function that runs `work` in its turn, and throws AppError `upstream-unavailable` when too much waits; what
 *   `goesFirst` waits before all of these, however much there is of it
 */
export function createGate(limits: {
  readonly runningMax: number;
  readonly waitingMax: number;
}): <T>(work: () => Promise<T>, goesFirst: boolean) => Promise<T> {
  const first: (() => void)[] = [];
  const waiting: (() => void)[] = [];
  let running = 0;

  async function run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      // A place is handed on rather than freed, so that nobody slips in between.
      const next = first.shift() ?? waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  return (work, goesFirst) => {
    if (running < limits.runningMax) {
      running += 1;
      return run(work);
    }
    if (!goesFirst && waiting.length >= limits.waitingMax)
      throw new AppError("upstream-unavailable", "too many different roles are being fetched at once", {
        hint: "retry",
      });
    const { promise: turn, resolve: enter } = Promise.withResolvers<void>();
    (goesFirst ? first : waiting).push(enter);
    return turn.then(() => run(work));
  };
}
