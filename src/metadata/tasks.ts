import type { TaskConfig } from "../config/task.ts";
import type { Container } from "../engine/container.ts";
import type { ContainerStore } from "../engine/container-store.ts";
import { perRevision } from "../engine/memo.ts";
import { type DocumentVersion, knownStatus } from "./container-document.ts";
import { containerDefinitionOf } from "./match-definition.ts";
import {
  type DefinitionOf,
  describeTask,
  idleSinceMs,
  isOneOff,
  members,
  recentlyIdle,
  type TaskDescription,
  taskKey,
} from "./task.ts";
import type { Bodies } from "./task-document.ts";

/** The agent shows what stopped for so long; what was made and never ran is shown for as long. */
const STOPPED_STAY_MS = 3 * 3_600_000;

interface KnownTask {
  readonly revision: number;
  readonly filesRevision: number;
  /** When a member that stopped counts no more. */
  readonly untilMs: number;
  readonly description: TaskDescription;
  readonly bodies: Map<string, { readonly body: string; readonly untilMs: number }>;
}

export interface Tasks {
  /** The document of a container, as JSON text. */
  readonly container: (facts: Container, version: DocumentVersion) => string;
  /** What a task is called. The same object for as long as it is called the same. */
  readonly description: (key: string | undefined) => TaskDescription;
  /** The document of a task, as JSON text. */
  readonly body: (key: string | undefined, version: DocumentVersion, withTags: boolean) => string;
  /** The containers of each task. */
  readonly index: TaskIndex;
}

/**
 * A task's documents are cached until the store or a user's file changes, or until a stopped member is no longer shown. A
 * key is that of `taskKey`.
 *
 * @param deps.definitionOf finds a task's definition; none has one, unless given
 * @param deps.filesRevision grows with every change of a file that the documents are made of
 * @param deps.now milliseconds of the wall's clock
 */
export function createTasks(deps: {
  readonly store: ContainerStore;
  readonly bodies: Bodies;
  readonly config: TaskConfig;
  readonly definitionOf?: DefinitionOf | undefined;
  readonly filesRevision?: () => number;
  readonly now: () => number;
}): Tasks {
  const { store, bodies, filesRevision = () => 0 } = deps;
  const tasks = new Map<string | undefined, KnownTask>();
  const loose = new WeakMap<Container, { readonly filesRevision: number; readonly description: TaskDescription }>();
  const index = createTaskIndex(store);
  let indexed = index();

  /** Projects come and go: of a task without containers nothing is kept. */
  function forgetGone(): void {
    if (indexed === index()) return;
    indexed = index();
    for (const key of tasks.keys()) if (!indexed.has(key)) tasks.delete(key);
  }

  function taskNow(key: string | undefined): KnownTask {
    const revision = store.revision();
    const files = filesRevision();
    const known = tasks.get(key);
    if (known?.revision === revision && known.filesRevision === files && deps.now() < known.untilMs) return known;
    forgetGone();
    const own = counted(key, indexed.get(key) ?? []);
    const described = describeTask(own, key, deps.config, store.machine(), deps.definitionOf);
    // The same object for the same description: the bodies of its containers are made anew for another.
    const description = known && isSame(known.description, described) ? known.description : described;
    const untilMs = goneAtMs(recentlyIdle(indexed.get(key) ?? [], key, deps.now(), STOPPED_STAY_MS));
    const task: KnownTask = { revision, filesRevision: files, untilMs, description, bodies: new Map() };
    tasks.set(key, task);
    return task;
  }

  /** Whose labels name a task: what stopped long ago does not, unless nothing else is left of it. */
  function counted(key: string | undefined, own: readonly Container[]): readonly Container[] {
    const idle = recentlyIdle(own, key, deps.now(), STOPPED_STAY_MS);
    const present = [...own.filter(({ running }) => running), ...idle].filter((each) => !isOneOff(each));
    return present.length > 0 || key === undefined ? present : own;
  }

  /** What a container in no task is called: what others there are called is nothing to it. */
  function looseDescription(facts: Container): TaskDescription {
    const files = filesRevision();
    const machine = store.machine();
    const known = loose.get(facts);
    if (known?.filesRevision === files && known.description.machine === machine) return known.description;
    const description = describeTask([facts], undefined, deps.config, machine, deps.definitionOf);
    loose.set(facts, { filesRevision: files, description });
    return description;
  }

  /** By its own task: in the machine's, a member of a project is called as it is in the project's. */
  function container(facts: Container, version: DocumentVersion): string {
    const key = taskKey(facts);
    return bodies.container(facts, key === undefined ? looseDescription(facts) : taskNow(key).description, version);
  }

  return {
    container,
    description: (key) => taskNow(key).description,
    body(key, version, withTags) {
      const task = taskNow(key);
      const kind = `${version} ${withTags}`;
      const known = task.bodies.get(kind);
      if (known !== undefined && deps.now() < known.untilMs) return known.body;
      const all = key === undefined ? [...store.containers.values()] : (index().get(key) ?? []);
      // The machine's task lists the members of projects, which have definitions of their own.
      const isOwn = (each: Container) => taskKey(each) === key;
      const running = members(all, key);
      const idle = recentlyIdle(all, key, deps.now(), STOPPED_STAY_MS).filter((each) => !isOneOff(each));
      const stopped = idle.filter(({ finishedAt }) => finishedAt !== undefined);
      // V2 and V3 list those that run, as the reference.
      const listed = version === "v4" ? [...running, ...idle] : running;
      const documents = listed.map((each) => container(each, version));
      const state = {
        running: running.length > 0 || version === "v3",
        created: idle.some((each) => knownStatus(each) === "CREATED"),
        withTags,
        executionStoppedAt: executionStoppedAt(task.description, running.filter(isOwn), stopped.filter(isOwn)),
      };
      const body = bodies.task(task.description, state, documents, version);
      const untilMs = goneAtMs(idle);
      task.bodies.set(kind, { body, untilMs });
      return body;
    },
    index,
  };
}

/** When the first of them is shown no more. */
function goneAtMs(idle: readonly Container[]): number {
  return Math.min(...idle.map((each) => idleSinceMs(each) + STOPPED_STAY_MS));
}

/** When the first of the essential containers stopped, of which none runs any more. */
function executionStoppedAt(
  { definition }: TaskDescription,
  running: readonly Container[],
  stopped: readonly Container[],
): string | undefined {
  if (definition === undefined) return undefined;
  const alive = new Set(running.map((each) => containerDefinitionOf(definition, each)));
  return stopped
    .filter((each) => {
      const own = containerDefinitionOf(definition, each);
      return own?.essential && !alive.has(own);
    })
    .flatMap(({ finishedAt }) => finishedAt ?? [])
    .sort((a, b) => Date.parse(a) - Date.parse(b))[0];
}

function isSame(a: TaskDescription, b: TaskDescription): boolean {
  const keys = Object.keys(b) as (keyof TaskDescription)[];
  return keys.length === Object.keys(a).length && keys.every((key) => a[key] === b[key]);
}

/** The fields of a task's V4 document that other answers repeat. */
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

/**
 * The containers of each task, those that stopped too, by the key of `taskKey`: under undefined those that are in no
 * other task. A new map after each change of the store.
 */
type TaskIndex = () => ReadonlyMap<string | undefined, readonly Container[]>;

export function createTaskIndex(store: Pick<ContainerStore, "containers" | "revision">): TaskIndex {
  return perRevision(store, () => Map.groupBy(store.containers.values(), taskKey));
}
