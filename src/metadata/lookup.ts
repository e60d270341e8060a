import type { Container } from "../engine/container.ts";
import type { Inventory } from "../engine/inventory.ts";
import { canonicalAddress } from "../engine/ip-address.ts";
import { AppError } from "../errors.ts";
import { type Caller, type Example, findContainer, isExact, taskKeyOf, unknownCaller } from "./find-container.ts";
import { taskKey } from "./task.ts";

const NAMED_MAX = 10_000;

/** Who is meant by a request. */
interface Question {
  /** Undefined where the caller is found by its address. */
  readonly identifier: string | undefined;
  readonly address: string;
  /** For the error where no container can be told. */
  readonly example: Example;
  /**
   * Whether the answer changes the task. Then it is named whole, and a container that its address tells may ask for its
   * own only; the host, a gateway that hides who asks and a listed network may name any.
   */
  readonly changes?: boolean;
}

/** What a question is about, as the picture has it at this moment. */
export interface Subject {
  /** Throws AppError `caller-unknown` where the path names none and the address is no container's. */
  readonly container: () => Container;
  /** The key of `taskKey`. Throws AppError `caller-unknown`. */
  readonly taskKey: () => string | undefined;
}

/**
 * Finds what a question is about and has it answered, now where that can be told at once. What fails is thrown, or
 * rejected with, as AppError; `answer` may be called a second time when the picture was found to lag.
 */
export type Lookup = <T>(question: Question, answer: (subject: Subject) => T | Promise<T>) => T | Promise<T>;

export function createLookup(deps: {
  readonly inventory: Inventory;
  /** Whether an address is of an interface of this machine. */
  readonly isOwnAddress: (address: string) => boolean;
}): Lookup {
  const { inventory } = deps;
  const { picture } = inventory;
  const named = new Map<string, Container>();
  let namedRevision = -1;

  /** What an identifier means to a caller is good until the picture changes: the search reads every container. */
  function find(identifier: string, caller: Caller, wholeOnly: boolean): Container {
    if (namedRevision !== picture.revision() || named.size >= NAMED_MAX) {
      named.clear();
      namedRevision = picture.revision();
    }
    const key = `${caller.kind === "container" ? caller.container.id : ""} ${wholeOnly} ${identifier}`;
    const known = named.get(key);
    if (known !== undefined) return known;
    const found = findContainer(picture.containers.values(), identifier, caller, wholeOnly);
    named.set(key, found);
    return found;
  }

  /** Who asks, if that can be told without waiting. */
  function callerNow(address: string): Caller | undefined {
    const container = inventory.atAddress(address);
    if (container) return { kind: "container", container };
    if (isLoopback(address)) return { kind: "host", address };
    if (picture.claimants(address).length > 0) return undefined;
    if (picture.isGateway(address)) return { kind: "gateway", address };
    return deps.isOwnAddress(address) ? { kind: "host", address } : undefined;
  }

  async function callerLater(address: string, deadlineMs: number): Promise<Caller> {
    const container = await inventory.waitForAddress(address, deadlineMs);
    if (container) return { kind: "container", container };
    if (picture.isElsewhere()) return { kind: "elsewhere", address };
    return { kind: picture.claimants(address).length > 1 ? "shared" : "stranger", address };
  }

  function subject({ identifier, example, changes = false }: Question, caller: Caller): Subject {
    const chosen = identifier === undefined ? undefined : find(identifier, caller, changes);
    if (changes && chosen && caller.kind === "container") checkOwn(chosen, caller.container);
    return {
      container() {
        if (chosen) return chosen;
        if (caller.kind === "container") return caller.container;
        throw unknownCaller(caller, picture.containers.values(), example);
      },
      taskKey: () => (chosen ? taskKey(chosen) : taskKeyOf(picture.containers.values(), caller, example)),
    };
  }

  /** Of a container that cannot be told nobody knows its own task: two claim its address, or none is listed with it. */
  function checkNoContainer(address: string): void {
    if (picture.claimants(address).length === 0 && !picture.isInSubnet(address)) return;
    const text = `Which container asks from ${address} cannot be told, and a container changes its own task only`;
    throw new AppError("forbidden", text, { hint: "ask from an address that one running container has" });
  }

  async function later<T>(question: Question, answer: (subject: Subject) => T | Promise<T>): Promise<T> {
    const { identifier, address, changes } = question;
    const deadlineMs = await inventory.ready();
    const isWhole = identifier !== undefined && isExact(picture.containers.values(), identifier);
    if (isWhole && !changes) return answer(subject(question, { kind: "stranger", address }));
    const known = callerNow(address);
    // What a service or a part of a name means, and who is behind a gateway, depends on what else is just starting.
    const isClear = isWhole
      ? inventory.contact() === "connected"
      : identifier === undefined && known?.kind !== "gateway";
    const confirm = () => (isClear ? undefined : inventory.confirm(deadlineMs));
    // Who is no container is waited for until the deadline, so that this must not come after.
    const meanwhile = known ? undefined : confirm();
    meanwhile?.catch(() => undefined);
    const asked = known ?? (await callerLater(address, deadlineMs));
    if (changes && !known && asked.kind !== "container") checkNoContainer(address);
    await (asked.kind === "container" || known ? confirm() : meanwhile);
    return answer(subject(question, asked));
  }

  return (peer, answer) => {
    const question = { ...peer, address: canonicalAddress(peer.address) };
    const caller = inventory.isCurrent() ? callerNow(question.address) : undefined;
    if (caller === undefined) return later(question, answer);
    try {
      return answer(subject(question, caller));
    } catch (error) {
      if (isUnknown(error)) return later(question, answer);
      throw error;
    }
  };
}

/** Whether a container is not in the picture, which an engine that fell silent can make untrue. */
function isUnknown(error: unknown): boolean {
  return error instanceof AppError && error.code === "container-unknown";
}

/** An id of the agent's is a secret of its container's; a name is none, so that who uses it counts. */
function checkOwn(chosen: Container, asking: Container): void {
  if (taskKey(chosen) === taskKey(asking)) return;
  const text = `${asking.name} asks for a change of another task than its own, that of ${chosen.name}`;
  throw new AppError("forbidden", text, { hint: "name a container of its own task, or none" });
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
