import type { Caller } from "../engine/caller.ts";
import type { ContainerStore } from "../engine/container-store.ts";
import { AppError } from "../errors.ts";
import type { Lookup } from "./lookup.ts";
import type { Stats } from "./stats.ts";
import { members, recentlyStopped } from "./task.ts";
import type { Tasks } from "./tasks.ts";

export type Version = "v2" | "v3" | "v4";
export type Resource =
  | "container"
  | "task"
  | "task-with-tags"
  | "stats"
  | "task-stats"
  | "associations"
  | "association";

export interface Asked {
  readonly version: Version;
  readonly resource: Resource;
  /** Undefined if the caller is found by its address. */
  readonly identifier: string | undefined;
  /** What kind of association is asked for, and which one. */
  readonly association?: { readonly type: string; readonly name: string };
}

/** In task stats a member that stopped keeps its key for so long. */
const STOPPED_KEYS_STAY_MS = 60_000;

const EXAMPLES: Readonly<Record<Version, (name: string) => string>> = {
  v2: (name) => `/v2/metadata/${name}`,
  v3: (name) => `/v3/containers/${name}`,
  v4: (name) => `/v4/containers/${name}`,
};

/** Associations bind a container to an accelerator of AWS's: no container has one here. The agent's `null`. */
const NO_ASSOCIATIONS = '{"Associations":null}';

/** What is asked, by whom: JSON text now if it is at hand, else a promise of it. Throws and rejects with AppError. */
export type Metadata = (asked: Asked, caller: Caller) => string | Promise<string>;

export function createMetadata(deps: {
  readonly store: ContainerStore;
  readonly lookup: Lookup;
  readonly tasks: Tasks;
  readonly stats: Stats;
  /** Milliseconds of the wall's clock. */
  readonly now: () => number;
}): Metadata {
  const { store, lookup, tasks, stats } = deps;

  return ({ version, resource, identifier, association }, caller) => {
    const form = version === "v4" ? "v4" : "v3";
    return lookup({ identifier, caller, example: EXAMPLES[version] }, (subject): string | Promise<string> => {
      if (resource === "container") return tasks.container(subject.container(), form);
      if (resource === "stats") return stats.container(subject.container(), form);
      if (resource === "associations" || resource === "association") {
        subject.container();
        if (resource === "associations") return NO_ASSOCIATIONS;
        throw noAssociation(association);
      }
      const key = subject.taskKey();
      if (resource !== "task-stats") return tasks.body(key, form, resource === "task-with-tags");
      const all = [...store.containers.values()];
      return stats.task(members(all, key), recentlyStopped(all, key, deps.now(), STOPPED_KEYS_STAY_MS), form);
    });
  };
}

/** In the agent's words (task-endpoints 1.3). */
function noAssociation({ type, name }: NonNullable<Asked["association"]> = { type: "", name: "" }): AppError {
  const what = `unable to get association from association type ${type} and association name ${name}`;
  return new AppError("bad-request", `Unable to write container association response: ${what}`);
}
