import type { TaskDefaults } from "../config.ts";
import type { Container } from "../engine/container.ts";
import type { Picture } from "../engine/picture.ts";
import type { Bodies } from "./bodies.ts";
import { describeTask, members, taskKey } from "./task.ts";

const TASKS_MAX = 1_000;

interface KnownTask {
  readonly revision: number;
  readonly description: TaskDefaults;
  body: string | undefined;
}

export interface Tasks {
  /** The V2 and V3 document of a container, as JSON text. */
  readonly container: (facts: Container) => string;
  /** What a task is called. The same object for as long as it is called the same. */
  readonly description: (key: string | undefined) => TaskDefaults;
  /** The V2 and V3 document of a task, as JSON text. */
  readonly body: (key: string | undefined) => string;
}

/** What is made of a task is good until the picture changes. A key is that of `taskKey`. */
export function createTasks(deps: {
  readonly picture: Picture;
  readonly bodies: Bodies;
  readonly defaults: TaskDefaults;
}): Tasks {
  const { picture, bodies } = deps;
  const tasks = new Map<string | undefined, KnownTask>();

  function taskNow(key: string | undefined): KnownTask {
    const revision = picture.revision();
    const known = tasks.get(key);
    if (known?.revision === revision) return known;
    // Projects come and go.
    if (tasks.size >= TASKS_MAX) tasks.clear();
    const described = describeTask(picture.containers.values(), key, deps.defaults);
    // The same object for the same description: the bodies of its containers are made anew for another.
    const description = known && isSame(known.description, described) ? known.description : described;
    const task: KnownTask = { revision, description, body: undefined };
    tasks.set(key, task);
    return task;
  }

  /** By its own task: in the machine's, a member of a project is called as it is in the project's. */
  function container(facts: Container): string {
    return bodies.container(facts, taskNow(taskKey(facts)).description);
  }

  return {
    container,
    description: (key) => taskNow(key).description,
    body(key) {
      const task = taskNow(key);
      task.body ??= bodies.task(task.description, members(picture.containers.values(), key).map(container));
      return task.body;
    },
  };
}

function isSame(a: TaskDefaults, b: TaskDefaults): boolean {
  return a.cluster === b.cluster && a.taskArn === b.taskArn && a.family === b.family && a.revision === b.revision;
}
