import type { Inventory } from "../engine/inventory.ts";
import { AppError } from "../errors.ts";
import { containerInstanceArnOf } from "./arn.ts";
import { taskKey } from "./task.ts";
import { type TaskFacts, type Tasks, taskFacts } from "./tasks.ts";

/** The agent takes so many characters for a short id, of which the beginning counts. */
const SHORT_ID_CHARACTERS = 12;
/**
 * The form of the agent's own, of whose version the answers are; in the brackets, where it has its commit, stands who
 * really answers. Datadog reads the number behind the `v`.
 */
const VERSION = "Amazon ECS Agent - v1.105.1 (ecs-local-endpoints)";

export type IntrospectionResource = "commands" | "metadata" | "tasks";

/**
 * The agent's introspection, which it has on port 51678 for who runs beside it: Fluent Bit's ECS filter, Datadog. JSON
 * text now if it is at hand, else a promise of it. Throws and rejects with AppError.
 */
export type Introspection = (resource: IntrospectionResource, query: URLSearchParams) => string | Promise<string>;

export function createIntrospection(deps: {
  readonly inventory: Pick<Inventory, "store" | "contact" | "isCurrent" | "ready" | "confirm">;
  readonly tasks: Pick<Tasks, "body" | "description" | "index">;
}): Introspection {
  const { inventory, tasks } = deps;
  const { store } = inventory;

  /** Of the machine's task, which is not the caller's: the agent answers for its instance. */
  function metadata(): string {
    const { cluster, taskArn } = tasks.description(undefined);
    return JSON.stringify({
      Cluster: cluster.slice(cluster.lastIndexOf("/") + 1),
      ContainerInstanceArn: containerInstanceArnOf(taskArn, cluster) ?? null,
      Version: VERSION,
    });
  }

  /** A container is in one task only, so that the machine's has but those that are in no other. */
  function taskOf(key: string | undefined) {
    return introspectionTask(taskFacts(tasks, key), (id) => {
      const container = store.containers.get(id);
      return container !== undefined && taskKey(container) === key;
    });
  }

  function all() {
    return [...tasks.index().keys()].map(taskOf).filter(({ Containers }) => Containers.length > 0);
  }

  /** An empty id is the beginning of every one, as with the agent. */
  function withContainer(id: string) {
    const isMeant = (each: string) => (id.length > SHORT_ID_CHARACTERS ? each === id : each.startsWith(id));
    // What a task's document says is read of those alone that can have it.
    const keys = new Set([...store.containers.values()].filter((each) => isMeant(each.id)).map(taskKey));
    return [...keys].map(taskOf).filter(({ Containers }) => Containers.some(({ DockerId }) => isMeant(`${DockerId}`)));
  }

  function find(query: URLSearchParams): string {
    const [id, arn] = [query.get("dockerid"), query.get("taskarn")];
    if (id !== null && arn !== null) {
      throw new AppError("bad-request", "The query has both dockerid and taskarn, and takes one of them");
    }
    if (id === null && arn === null) return JSON.stringify({ Tasks: all() });
    const found = id === null ? all().filter(({ Arn }) => Arn === arn) : withContainer(id);
    const what = id === null ? `the ARN '${shorten(arn ?? "")}'` : `a container with the id '${shorten(id)}'`;
    if (found.length > 1) {
      throw new AppError("container-ambiguous", `${found.length} tasks have ${what}`, {
        hint: "ask by dockerid with a container's whole id",
      });
    }
    if (found[0] === undefined) {
      throw new AppError("container-unknown", `No task has ${what}`, { hint: "/v1/tasks lists them" });
    }
    return JSON.stringify(found[0]);
  }

  /** Whether it has the whole id of a container that is known: no other is meant by that, whatever else is there. */
  function isOfKnown(query: URLSearchParams): boolean {
    return inventory.contact() === "connected" && store.containers.has(query.get("dockerid") ?? "");
  }

  /** A log line of a container's can be asked about before its start is known. */
  async function later(query: URLSearchParams): Promise<string> {
    const deadlineMs = await inventory.ready();
    await inventory.confirm(deadlineMs);
    return find(query);
  }

  return (resource, query) => {
    if (resource === "commands") return '{"AvailableCommands":["/v1/metadata","/v1/tasks"]}';
    if (resource === "metadata") return metadata();
    if (!inventory.isCurrent() && !isOfKnown(query)) return later(query);
    try {
      return find(query);
    } catch (error) {
      if (error instanceof AppError && error.code === "container-unknown") return later(query);
      throw error;
    }
  };
}

function shorten(text: string): string {
  return text.length > 128 ? `${text.slice(0, 128)}…` : text;
}

type Document = Readonly<Record<string, unknown>>;

interface IntrospectionTask {
  readonly Arn: string;
  readonly DesiredStatus: string;
  readonly KnownStatus: string;
  readonly Family: string;
  readonly Version: string;
  readonly Containers: readonly Document[];
}

/**
 * A task as introspection has it, in the agent's order of keys, made of what its V4 document says: containers without
 * labels, limits and states, ports without the host's address, and networks only with `awsvpc`.
 *
 * @param isOwn whether the container with an id belongs to it
 */
export function introspectionTask(facts: TaskFacts, isOwn: (id: string) => boolean): IntrospectionTask {
  return {
    Arn: facts.TaskARN,
    DesiredStatus: facts.DesiredStatus,
    KnownStatus: facts.KnownStatus,
    Family: facts.Family,
    Version: facts.Revision,
    Containers: listOf(facts.Containers)
      .filter(({ DockerId }) => typeof DockerId === "string" && isOwn(DockerId))
      .map(introspectionContainer),
  };
}

function introspectionContainer(facts: Document): Document {
  const networks = listOf(facts.Networks).filter(({ NetworkMode }) => NetworkMode === "awsvpc");
  return {
    DockerId: facts.DockerId,
    DockerName: facts.DockerName,
    Name: facts.Name,
    Image: facts.Image,
    ImageID: facts.ImageID,
    CreatedAt: facts.CreatedAt,
    StartedAt: facts.StartedAt,
    Ports: facts.Ports && listOf(facts.Ports).map(({ HostIp: _, ...port }) => port),
    Networks:
      networks.length === 0
        ? undefined
        : networks.map(({ NetworkMode, IPv4Addresses, IPv6Addresses }) => ({
            NetworkMode,
            IPv4Addresses,
            IPv6Addresses,
          })),
    Volumes: facts.Volumes,
    RestartCount: facts.RestartCount,
  };
}

/** A user's JSON may have put anything there. */
function listOf(value: unknown): readonly Document[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "object" && each !== null) : [];
}
