import type { Caller } from "../engine/caller.ts";
import type { Container } from "../engine/container.ts";
import type { Inventory } from "../engine/inventory.ts";
import { perRevision } from "../engine/memo.ts";
import { AppError } from "../errors.ts";
import { type Example, findContainer, isExact, taskKeyOf, unknownCaller } from "./find-container.ts";
import { taskKey } from "./task.ts";

const FOUND_MAX = 10_000;

interface Question {
  /** Undefined: the caller itself. */
  readonly identifier: string | undefined;
  readonly caller: Caller;
  /** For the error if no container is found. */
  readonly example: Example;
  /**
   * Whether the answer changes the task. Then the container must be named in full, and a container may change its own task
   * only; the host, a gateway and an allowed network may change any.
   */
  readonly changes?: boolean;
}

/** The container or task of a request, at this moment. */
export interface Subject {
  /** Throws AppError `caller-unknown` if the path names none and the caller is not a container. */
  readonly container: () => Container;
  /** The key of `taskKey`. Throws AppError `caller-unknown`. */
  readonly taskKey: () => string | undefined;
}

/**
 * Finds the subject of a request and answers it, in the same turn if possible. Errors are thrown, or rejected with, as
 * AppError. `answer` may be called a second time, when the store was behind the engine.
 */
export type Lookup = <T>(question: Question, answer: (subject: Subject) => T | Promise<T>) => T | Promise<T>;

export function createLookup(inventory: Inventory): Lookup {
  const { store } = inventory;
  const cache = perRevision(store, () => new Map<string, Container>());

  function find({ identifier = "", caller, changes = false }: Question): Container {
    const found = cache();
    const key = `${caller.kind === "container" ? caller.container.id : ""} ${changes} ${identifier}`;
    const known = found.get(key);
    if (known !== undefined) return known;
    const container = findContainer(store.containers.values(), identifier, caller, changes);
    if (found.size < FOUND_MAX) found.set(key, container);
    return container;
  }

  function subject(question: Question): Subject {
    const { identifier, caller, example, changes } = question;
    const named = identifier === undefined ? undefined : find(question);
    if (changes && named && caller.kind === "container") checkOwn(named, caller.container);
    return {
      container() {
        if (named) return named;
        if (caller.kind === "container") return store.containers.get(caller.container.id) ?? caller.container;
        throw unknownCaller(caller, store.containers.values(), example);
      },
      taskKey: () => (named ? taskKey(named) : taskKeyOf(store.containers.values(), caller, example)),
    };
  }

  /** An unknown caller on a network of the engine may be a container, whose own task is not known. */
  function checkNoContainer(address: string): void {
    if (store.ownersOf(address).length === 0 && !store.isInSubnet(address)) return;
    const text = `The container that asks from ${address} is not known, and a container may change its own task only`;
    throw new AppError("forbidden", text, { hint: "ask from an address that one running container has" });
  }

  async function later<T>(asked: Question, answer: (subject: Subject) => T | Promise<T>): Promise<T> {
    const deadlineMs = await inventory.ready(asked.caller.deadlineMs);
    // A host or gateway was identified without waiting, perhaps before the engine was known.
    const isFixed = asked.caller.kind === "container" || asked.caller.kind === "unknown";
    const question = isFixed ? asked : { ...asked, caller: inventory.identifyNow(asked.caller.address) };
    const { identifier, caller, changes } = question;
    const isWhole = identifier !== undefined && isExact(store.containers.values(), identifier);
    if (isWhole && !changes) return answer(subject(question));
    if (caller.kind === "unknown" && caller.error) throw caller.error;
    if (changes && caller.kind === "unknown") checkNoContainer(caller.address);
    // A service, a part of a name, or the container behind a gateway depends on containers that are just starting.
    const isClear = isWhole
      ? inventory.contact() === "connected"
      : identifier === undefined && caller.kind !== "gateway";
    if (!isClear) await inventory.confirm(deadlineMs);
    return answer(subject(question));
  }

  return (question, answer) => {
    if (question.caller.kind === "unknown" || !inventory.isCurrent()) return later(question, answer);
    try {
      return answer(subject(question));
    } catch (error) {
      // An engine that fell silent may have started it.
      if (error instanceof AppError && error.code === "container-unknown") return later(question, answer);
      throw error;
    }
  };
}

function checkOwn(named: Container, asking: Container): void {
  if (taskKey(named) === taskKey(asking)) return;
  const text = `${asking.name} asks to change a task that is not its own, that of ${named.name}`;
  throw new AppError("forbidden", text, { hint: "name a container of its own task, or none" });
}
