import type { TaskDefaults } from "../config.ts";
import type { Container } from "../engine/container.ts";
import type { Inventory } from "../engine/inventory.ts";
import { canonicalAddress } from "../engine/ip-address.ts";
import type { StatsStreams } from "../engine/stats-stream.ts";
import { AppError } from "../errors.ts";
import type { Bodies } from "./bodies.ts";
import { type Caller, findContainer, isExact, taskKeyOf, unknownCaller } from "./caller.ts";
import { members, recentlyStopped, taskKey } from "./task.ts";
import { createTasks } from "./tasks.ts";

export type Resource = "container" | "task" | "stats" | "task-stats";

/** V2 and V3 wait this long for a sample that has an earlier reading beside it. */
const SAMPLE_WAIT_MS = 1_200;
const NAMED_MAX = 10_000;
const STOPPED_KEYS_STAY_MS = 60_000;

/** What is asked, by whom: JSON text now where it is at hand, else a promise of it. Throws and rejects with AppError. */
export type Metadata = (
  resource: Resource,
  identifier: string | undefined,
  address: string,
) => string | Promise<string>;

export function createMetadata(deps: {
  readonly inventory: Inventory;
  readonly stats: StatsStreams;
  readonly bodies: Bodies;
  /** What is configured of a task, for what no label says. */
  readonly defaults: TaskDefaults;
  readonly now: () => number;
  /** Whether an address is of an interface of this machine. */
  readonly isOwnAddress: (address: string) => boolean;
}): Metadata {
  const { inventory, stats, bodies } = deps;
  const { picture } = inventory;
  const tasks = createTasks({ picture, bodies, defaults: deps.defaults });

  const named = new Map<string, Container>();
  let namedRevision = -1;

  /** What an identifier means to a caller is good until the picture changes: the search reads every container. */
  function find(identifier: string, caller: Caller): Container {
    if (namedRevision !== picture.revision() || named.size >= NAMED_MAX) {
      named.clear();
      namedRevision = picture.revision();
    }
    const key = `${caller.kind === "container" ? caller.container.id : ""} ${identifier}`;
    const known = named.get(key);
    if (known !== undefined) return known;
    const found = findContainer(picture.containers.values(), identifier, caller);
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
    return container ? { kind: "container", container } : { kind: "stranger", address };
  }

  function answer(resource: Resource, identifier: string | undefined, caller: Caller): string | Promise<string> {
    const all = picture.containers.values();
    const chosen = identifier === undefined ? undefined : find(identifier, caller);
    if (resource === "container" || resource === "stats") {
      const container = chosen ?? (caller.kind === "container" ? caller.container : undefined);
      if (container === undefined) throw unknownCaller(caller as Exclude<Caller, { kind: "container" }>, all);
      if (resource === "stats") return containerStats(container);
      return tasks.container(container);
    }
    const key = chosen ? taskKey(chosen) : taskKeyOf(all, caller);
    return resource === "task" ? tasks.body(key) : taskStats(key);
  }

  function containerStats(container: Container): string | Promise<string> {
    if (!container.running) {
      throw new AppError("container-not-running", `Unable to get container stats for: ${container.id}`, {
        hint: "the container is not running",
      });
    }
    return stats.latest(container.id) ?? stats.wait(container.id, SAMPLE_WAIT_MS).then((sample) => sample ?? "null");
  }

  async function taskStats(key: string | undefined): Promise<string> {
    const all = [...picture.containers.values()];
    const samples = await Promise.all(
      members(all, key).map(async ({ id }) => {
        const sample = stats.latest(id) ?? (await stats.wait(id, SAMPLE_WAIT_MS));
        return `"${id}":${sample}`;
      }),
    );
    const stopped = recentlyStopped(all, key, deps.now(), STOPPED_KEYS_STAY_MS).map(({ id }) => `"${id}":null`);
    return `{${[...samples, ...stopped].join(",")}}`;
  }

  async function answerLater(resource: Resource, identifier: string | undefined, address: string): Promise<string> {
    const deadlineMs = await inventory.ready();
    if (identifier !== undefined && isExact(picture.containers.values(), identifier)) {
      return answer(resource, identifier, { kind: "stranger", address });
    }
    // What a service or a part of a name means depends on who asks, and on what else is just starting.
    const asked = callerNow(address) ?? (await callerLater(address, deadlineMs));
    if (identifier !== undefined) await inventory.confirm(deadlineMs);
    return answer(resource, identifier, asked);
  }

  return (resource, identifier, peer) => {
    const address = canonicalAddress(peer);
    const caller = inventory.isCurrent() ? callerNow(address) : undefined;
    if (caller === undefined) return answerLater(resource, identifier, address);
    try {
      return answer(resource, identifier, caller);
    } catch (error) {
      if (isUnknown(error)) return answerLater(resource, identifier, address);
      throw error;
    }
  };
}

/** Whether a container is not in the picture, which an engine that fell silent can make untrue. */
function isUnknown(error: unknown): boolean {
  return error instanceof AppError && error.code === "container-unknown";
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
