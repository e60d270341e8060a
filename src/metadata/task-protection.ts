const TASKS_MAX = 1_000;
const MINUTE_MS = 60_000;

/**
 * Which tasks are protected from scale-in. A key is that of `taskKey`; undefined is the machine's one task, of those
 * that are in no other. Tasks that nobody named share the default TaskARN: it is the reference's, which clients see, and
 * each has a protection of its own all the same.
 */
export interface Protections {
  /** Milliseconds of the wall's clock until which a task is protected; undefined where it is not. */
  readonly until: (key: string | undefined) => number | undefined;
  /** Protects a task from now on, whatever was left of an earlier protection: ECS resets, and never adds. */
  readonly protect: (key: string | undefined, minutes: number) => void;
  readonly release: (key: string | undefined) => void;
}

interface Protection {
  readonly untilMs: number;
  readonly ids: readonly string[];
}

/**
 * Keeps in memory what ECS keeps for a task. In ECS a task that is started anew is another one: a protection ends when
 * the engine has none of the containers any more that the task had when it was set. One that stopped, and may be started
 * again, counts. Of too many, the one that was set first is forgotten.
 *
 * @param deps.now milliseconds of the wall's clock
 * @param deps.idsOf the ids of a task's containers, those that stopped too
 * @param deps.isPresent whether the engine has a container of that id, running or not
 */
export function createProtections(deps: {
  readonly now: () => number;
  readonly idsOf: (key: string | undefined) => readonly string[];
  readonly isPresent: (id: string) => boolean;
}): Protections {
  const { now } = deps;
  const tasks = new Map<string | undefined, Protection>();

  function until(key: string | undefined): number | undefined {
    const known = tasks.get(key);
    if (known === undefined) return undefined;
    // The machine's task may have no container, and is there all the same.
    const isSameTask = known.ids.length === 0 || known.ids.some(deps.isPresent);
    if (isSameTask && now() < known.untilMs) return known.untilMs;
    tasks.delete(key);
    return undefined;
  }

  return {
    until,
    protect(key, minutes) {
      tasks.delete(key);
      if (tasks.size >= TASKS_MAX) for (const each of [...tasks.keys()]) until(each);
      if (tasks.size >= TASKS_MAX) tasks.delete([...tasks.keys()][0]);
      tasks.set(key, { untilMs: now() + minutes * MINUTE_MS, ids: deps.idsOf(key) });
    },
    release: (key) => void tasks.delete(key),
  };
}
