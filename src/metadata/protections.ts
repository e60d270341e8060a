const TASKS_MAX = 1_000;
const MINUTE_MS = 60_000;

/** Which tasks are protected from scale-in. A key is that of `taskKey`; undefined is the machine's one task. */
export interface Protections {
  /** Milliseconds of the wall's clock until which a task is protected; undefined where it is not. */
  readonly until: (key: string | undefined) => number | undefined;
  /** Protects a task from now on, whatever was left of an earlier protection: ECS resets, and never adds. */
  readonly protect: (key: string | undefined, minutes: number) => void;
  readonly release: (key: string | undefined) => void;
}

/**
 * Keeps in memory what ECS keeps for a task. Projects come and go: of too many, the one that was set first is forgotten.
 *
 * @param now milliseconds of the wall's clock
 */
export function createProtections(now: () => number): Protections {
  const tasks = new Map<string | undefined, number>();

  function until(key: string | undefined): number | undefined {
    const untilMs = tasks.get(key);
    if (untilMs === undefined || now() < untilMs) return untilMs;
    tasks.delete(key);
    return undefined;
  }

  return {
    until,
    protect(key, minutes) {
      tasks.delete(key);
      if (tasks.size >= TASKS_MAX) for (const each of [...tasks.keys()]) until(each);
      if (tasks.size >= TASKS_MAX) tasks.delete([...tasks.keys()][0]);
      tasks.set(key, now() + minutes * MINUTE_MS);
    },
    release: (key) => void tasks.delete(key),
  };
}
