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
  /** When a stopped member is no longer shown. */
  readonly untilMs: number;
  readonly description: TaskDescription;
  readonly bodies: Map<string, string>;
}

export interface Tasks {
  /** The document of a container, as JSON text. */
  readonly container: (container: Container, version: DocumentVersion) => string;
  readonly description: (key: string | undefined) => TaskDescription;
  /** The document of a task, as JSON text. */
  readonly body: (key: string | undefined, version: DocumentVersion, withTags: boolean) => string;
  /** The containers of each task, stopped ones too. */
  readonly index: TaskIndex;
}

/**
 * The tasks of the containers, by the key of `taskKey`. They are cached until the store or a user's file changes, or a
 * stopped member is no longer shown.
 *
 * @param deps.definitionOf finds a task's definition
 * @param deps.filesRevision grows with every change of a user's file
 * @param deps.now milliseconds since 1970
 */
export function createTasks(deps: {
  readonly store: ContainerStore;
  readonly bodies: Bodies;
  readonly config: TaskConfig;
  readonly definitionOf?: DefinitionOf | undefined;
  readonly filesRevision?: () => number;
  readonly now: () => number;
}): Tasks {
  const { store, bodies, config, now, filesRevision = () => 0 } = deps;
  const index = createTaskIndex(store);
  // Both only grow, so that their sum changes with each.
  const revision = { revision: () => store.revision() + filesRevision() };
  const tasks = perRevision(revision, () => new Map<string | undefined, KnownTask>());
  const ungrouped = perRevision(revision, () => new Map<string, TaskDescription>());

  function describe(own: readonly Container[], key: string | undefined): TaskDescription {
    return describeTask(own, key, config, store.machine(), deps.definitionOf);
  }

  function taskNow(key: string | undefined): KnownTask {
    const known = tasks().get(key);
    if (known !== undefined && now() < known.untilMs) return known;
    const own = index().get(key) ?? [];
    const idle = recentlyIdle(own, key, now(), STOPPED_STAY_MS);
    const present = [...own.filter(({ running }) => running), ...idle].filter((each) => !isOneOff(each));
    // The labels of what stopped long ago count only if nothing else is left of the task.
    const counted = present.length > 0 || key === undefined ? present : own;
    // The machine's task lists the containers of all tasks.
    const shown = key === undefined ? recentlyIdle(store.containers.values(), key, now(), STOPPED_STAY_MS) : idle;
    const task: KnownTask = { untilMs: goneAtMs(shown), description: describe(counted, key), bodies: new Map() };
    tasks().set(key, task);
    return task;
  }

  /** A container outside of all tasks is described on its own. */
  function ungroupedDescription(container: Container): TaskDescription {
    const known = ungrouped().get(container.id) ?? describe([container], undefined);
    ungrouped().set(container.id, known);
    return known;
  }

  function container(facts: Container, version: DocumentVersion): string {
    const key = taskKey(facts);
    return bodies.container(facts, key === undefined ? ungroupedDescription(facts) : taskNow(key).description, version);
  }

  function makeBody(task: TaskDescription, key: string | undefined, version: DocumentVersion, withTags: boolean) {
    const all = key === undefined ? [...store.containers.values()] : (index().get(key) ?? []);
    // The machine's task lists the members of projects, which have definitions of their own.
    const isOwn = (each: Container) => taskKey(each) === key;
    const running = members(all, key);
    const idle = recentlyIdle(all, key, now(), STOPPED_STAY_MS).filter((each) => !isOneOff(each));
    const stopped = idle.filter(({ finishedAt }) => finishedAt !== undefined);
    // V2 and V3 list those that run, as the reference.
    const listed = version === "v4" ? [...running, ...idle] : running;
    const state = {
      running: running.length > 0 || version === "v3",
      created: idle.some((each) => knownStatus(each) === "CREATED"),
      withTags,
      executionStoppedAt: executionStoppedAt(task, running.filter(isOwn), stopped.filter(isOwn)),
    };
    const documents = listed.map((each) => container(each, version));
    return bodies.task(task, state, documents, version);
  }

  return {
    container,
    description: (key) => taskNow(key).description,
    body(key, version, withTags) {
      const task = taskNow(key);
      const kind = `${version} ${withTags}`;
      const body = task.bodies.get(kind) ?? makeBody(task.description, key, version, withTags);
      task.bodies.set(kind, body);
      return body;
    },
    index,
  };
}

/** When the first of them is no longer shown. */
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
