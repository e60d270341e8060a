import type { Container } from "../engine/container.ts";
import type { Picture } from "../engine/container-store.ts";
import { taskKey } from "./task.ts";

/**
 * The containers of each task, those that stopped too, by the key of `taskKey`: under undefined those that are in no
 * other task. Another map once the picture has changed.
 */
export type TaskIndex = () => ReadonlyMap<string | undefined, readonly Container[]>;

/** Sorts the containers out once per revision of the picture, however many tasks are asked for. */
export function createTaskIndex(picture: Pick<Picture, "containers" | "revision">): TaskIndex {
  let revision = Number.NaN;
  let index = new Map<string | undefined, Container[]>();
  return () => {
    if (picture.revision() === revision) return index;
    revision = picture.revision();
    index = new Map();
    for (const container of picture.containers.values()) {
      const key = taskKey(container);
      const own = index.get(key);
      if (own === undefined) index.set(key, [container]);
      else own.push(container);
    }
    return index;
  };
}
