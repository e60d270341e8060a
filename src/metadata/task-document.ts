import type { JsonObject } from "../config/json-file.ts";
import type { Container } from "../engine/container.ts";
import type { Network } from "../engine/container-store.ts";
import { containerDocument, type DocumentVersion } from "./container-document.ts";
import { mergeOver, mergeOverContainer } from "./overrides.ts";
import { LABELS, type TaskDescription } from "./task.ts";

/** What a task's document says beside what its task is called. */
interface TaskState {
  readonly running: boolean;
  /** Whether a member waits for its first start. */
  readonly created?: boolean;
  readonly withTags: boolean;
  /** When the first essential container stopped, where a task definition says which those are. */
  readonly executionStoppedAt?: string | undefined;
}

/**
 * The document of a task around its containers' own, in the agent's order (task-endpoints 2.3): the keys before
 * `Containers`, and those behind them.
 */
function taskDocument(
  task: TaskDescription,
  state: TaskState,
  version: DocumentVersion,
): readonly [before: JsonObject, after: JsonObject] {
  const status = state.running ? "RUNNING" : state.created ? "CREATED" : "STOPPED";
  const head = {
    Cluster: task.cluster,
    TaskARN: task.taskArn,
    Family: task.family,
    Revision: task.revision,
    DesiredStatus: status === "STOPPED" ? "STOPPED" : "RUNNING",
    KnownStatus: status,
  };
  const facts = {
    Limits: limitsOf(task, version),
    ExecutionStoppedAt: state.executionStoppedAt,
    AvailabilityZone: task.availabilityZone,
    TaskTags: state.withTags ? tagsOrAbsent(task.tags) : undefined,
    ContainerInstanceTags: state.withTags ? tagsOrAbsent(task.containerInstanceTags) : undefined,
  };
  if (version === "v3") return [head, facts];
  // Fault injection is never available here.
  return [
    { ...head, ...facts, LaunchType: task.launchType },
    { VPCID: task.vpcId, ServiceName: task.serviceName, FaultInjectionEnabled: false },
  ];
}

/** V2 and V3 have what was set, as the agent. Clients of V4 divide by it: there the machine's stands in. */
function limitsOf({ cpu, memoryMiB, machine }: TaskDescription, version: DocumentVersion): JsonObject | undefined {
  const whole = version === "v4" ? machine : undefined;
  const CPU = cpu ?? whole?.cpus;
  const Memory = memoryMiB ?? (whole && Math.floor(whole.memoryBytes / 1_048_576));
  return CPU === undefined && Memory === undefined ? undefined : { CPU, Memory };
}

function tagsOrAbsent(tags: TaskDescription["tags"]): TaskDescription["tags"] {
  return tags && Object.keys(tags).length > 0 ? tags : undefined;
}

interface BodyOptions {
  /** The engine's networks. The same list for as long as they are the same. */
  readonly networks?: () => readonly Network[];
  /** What users' files say now: another object once a file has changed. */
  readonly taskOverride?: JsonObject | undefined;
  readonly containerOverride?: JsonObject | undefined;
}

export interface Bodies {
  /** The document of a container of `task`, as JSON text. */
  readonly container: (container: Container, task: TaskDescription, version: DocumentVersion) => string;
  /** The document of a task, around those of its containers. */
  readonly task: (
    task: TaskDescription,
    state: TaskState,
    containers: readonly string[],
    version: DocumentVersion,
  ) => string;
}

interface Made {
  readonly task: TaskDescription;
  readonly networks: readonly Network[];
  readonly override: JsonObject | undefined;
  readonly texts: { v3?: string; v4?: string };
}

const NO_NETWORKS: readonly Network[] = [];

/** Makes the documents. A container is serialised once: it is replaced when it changes, see {@link Container}. */
export function createBodies(options: BodyOptions): Bodies {
  const made = new WeakMap<Container, Made>();

  function container(facts: Container, task: TaskDescription, version: DocumentVersion): string {
    // Only then does a container's document say something of its networks themselves.
    const networks = (task.networkMode === "awsvpc" && options.networks?.()) || NO_NETWORKS;
    const override = options.containerOverride;
    let known = made.get(facts);
    if (known?.task !== task || known.networks !== networks || known.override !== override) {
      known = { task, networks, override, texts: {} };
      made.set(facts, known);
    }
    known.texts[version] ??= JSON.stringify(document(facts, task, version, networks));
    return known.texts[version];
  }

  function document(
    facts: Container,
    task: TaskDescription,
    version: DocumentVersion,
    networks: readonly Network[],
  ): JsonObject {
    const plain = containerDocument(facts, task, version, networks);
    const names = [plain.Name as string, facts.name, facts.labels[LABELS.service]];
    return mergeOverContainer(plain, options.containerOverride, names);
  }

  function task(
    description: TaskDescription,
    state: TaskState,
    bodies: readonly string[],
    version: DocumentVersion,
  ): string {
    const [before, after] = taskDocument(description, state, version);
    const containers = bodies.length === 0 ? undefined : `[${bodies.join(",")}]`;
    if (options.taskOverride !== undefined || containers === undefined) {
      const Containers = containers && JSON.parse(containers);
      return JSON.stringify(mergeOver({ ...before, Containers, ...after }, options.taskOverride));
    }
    const [head, tail] = [JSON.stringify(before), JSON.stringify(after)];
    return `${head.slice(0, -1)},"Containers":${containers}${tail === "{}" ? "}" : `,${tail.slice(1)}`}`;
  }

  return { container, task };
}
