import { AppError } from "../errors.ts";

/**
 * Limits how many calls run at once.
 *
 * @returns a function that runs `work` when it is its turn; `isFirst` work goes before the rest and is never refused.
 *   Throws AppError `upstream-unavailable` if `waitingMax` others wait.
 */
export function createLimiter(limits: {
  readonly runningMax: number;
  readonly waitingMax: number;
}): <T>(work: () => Promise<T>, isFirst: boolean) => Promise<T> {
  const first: (() => void)[] = [];
  const waiting: (() => void)[] = [];
  let running = 0;

  async function run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      const next = first.shift() ?? waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  return (work, isFirst) => {
    if (running < limits.runningMax) {
      running += 1;
      return run(work);
    }
    if (!isFirst && waiting.length >= limits.waitingMax) {
      throw new AppError("upstream-unavailable", "too many different roles are being fetched at once", {
        hint: "retry",
      });
    }
    const turn = new Promise<void>((resolve) => (isFirst ? first : waiting).push(resolve));
    return turn.then(() => run(work));
  };
}
