import type { Container } from "./container.ts";

/** Of containers that share one another's network namespace in a row. */
const HOPS_MAX = 8;

export interface Sharers {
  /** Takes a container as the engine has it, once it is among `containers`. */
  readonly put: (container: Container) => void;
  readonly remove: (id: string) => void;
}

/**
 * Gives each of the containers that shares a network namespace the networks of its owner, as in a task of ECS. Docker says
 * that it has none.
 *
 * @param containers where they are found, and exchanged for one with the owner's networks
 */
export function createSharers(containers: Map<string, Container>): Sharers {
  const inspected = new Map<string, Container>();

  function rootOf(container: Container): Container {
    let root = container;
    for (let hops = 0; hops < HOPS_MAX && root.networkOwner !== undefined; hops += 1) {
      const owner = root.networkOwner;
      root = containers.get(owner) ?? containers.values().find(({ name }) => name === owner) ?? root;
    }
    return root;
  }

  function share(): void {
    for (const [id, sharer] of inspected) {
      const root = rootOf(sharer);
      const { attachments } = root.id === id ? sharer : root;
      if (containers.get(id)?.attachments !== attachments) containers.set(id, { ...sharer, attachments });
    }
  }

  return {
    put(container) {
      if (container.networkOwner === undefined) inspected.delete(container.id);
      else inspected.set(container.id, container);
      share();
    },
    remove(id) {
      inspected.delete(id);
      share();
    },
  };
}
