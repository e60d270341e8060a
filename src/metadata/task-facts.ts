import type { Tasks } from "./tasks.ts";

/** What a task's V4 document says, for the other answers that tell the same. */
export interface TaskFacts {
  readonly TaskARN: string;
  readonly Family: string;
  readonly Revision: string;
  readonly DesiredStatus: string;
  readonly KnownStatus: string;
  /** Whatever a user's JSON has put there. */
  readonly Containers?: unknown;
}

/** Read from the document itself, since a user's JSON may have been merged over it. A key is that of `taskKey`. */
export function taskFacts(tasks: Pick<Tasks, "body">, key: string | undefined): TaskFacts {
  return JSON.parse(tasks.body(key, "v4", false));
}
