import { AppError } from "../errors.ts";

/**
 * Lets a bounded number of pieces of work run at once; a bounded number waits.
 *
 * @returns a function that runs `work` in its turn, and throws AppError `upstream-unavailable` when too much waits
 */
export function createGate(limits: {
  readonly runningMax: number;
  readonly waitingMax: number;
}): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;

  return async (work) => {
    if (running < limits.runningMax) running += 1;
    else if (waiting.length < limits.waitingMax) await new Promise<void>((enter) => waiting.push(enter));
    else
      throw new AppError("upstream-unavailable", "too many different roles are being fetched at once", {
        hint: "retry",
      });
    try {
      return await work();
    } finally {
      // A place is handed on rather than freed, so that nobody slips in between.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
