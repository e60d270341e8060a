import type { Container } from "./container.ts";

const WHOLE_ID = /^[\da-f]{64}$/;
/** Of containers that share one another's network namespace in a row. */
const HOPS_MAX = 8;

interface Sharers {
  /** Takes a container in as the engine has it. */
  readonly put: (container: Container) => void;
  readonly remove: (id: string) => void;
}

/**
 * Gives each of the containers that shares a network namespace the networks of its owner, as in a task of ECS. Docker says
 * that it has none.
 *
 * @param containers where they are put, and exchanged for one with the owner's networks
 */
export function createSharers(containers: Map<string, Container>): Sharers {
  /** By the id or name of the owner, then by their own id, as the engine has them. */
  const byOwner = new Map<string, Map<string, Container>>();

  function find(owner: string): Container | undefined {
    const found = containers.get(owner);
    // An id is no name: that of an owner that was removed is not looked for in all the others.
    return found || WHOLE_ID.test(owner) ? found : containers.values().find(({ name }) => name === owner);
  }

  /** Gives it the networks of the last of those in a row, as the engine has them. */
  function exchange(sharer: Container): void {
    let root = sharer;
    for (let hops = 0; hops < HOPS_MAX && root.networkOwner !== undefined; hops += 1) {
      const owner = find(root.networkOwner);
      if (owner === undefined) break;
      root = byOwner.get(owner.networkOwner ?? "")?.get(owner.id) ?? owner;
    }
    const { attachments } = root;
    if (containers.get(sharer.id)?.attachments === attachments) return;
    containers.set(sharer.id, { ...sharer, attachments });
  }

  /** Visits those who share with what has one of these ids or names, and those who share with them. */
  function share(changed: readonly string[]): void {
    const keys = new Set(changed);
    // It grows while it is walked, and holds each but once, so that a circle comes to an end.
    for (const key of keys) {
      for (const sharer of byOwner.get(key)?.values() ?? []) {
        exchange(sharer);
        keys.add(sharer.id).add(sharer.name);
      }
    }
  }

  /** Takes a container out of those that share. What it is called was perhaps what others share with. */
  function forget(id: string): readonly string[] {
    const known = containers.get(id);
    if (known === undefined) return [];
    const owner = known.networkOwner ?? "";
    const sharers = byOwner.get(owner);
    sharers?.delete(id);
    if (sharers?.size === 0) byOwner.delete(owner);
    return [id, known.name];
  }

  return {
    put(container) {
      const { id, name, networkOwner: owner } = container;
      const before = forget(id);
      containers.set(id, container);
      if (owner !== undefined) {
        byOwner.set(owner, (byOwner.get(owner) ?? new Map()).set(id, container));
        exchange(container);
      }
      share([id, name, ...before]);
    },
    remove(id) {
      const before = forget(id);
      containers.delete(id);
      share(before);
    },
  };
}
