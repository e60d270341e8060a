import type { JsonObject } from "../config/json-file.ts";
import type { DocumentVersion } from "./container-document.ts";
import type { TaskDescription } from "./task.ts";

/** What a task's document says beside what its task is called. */
export interface TaskState {
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
export function taskDocument(
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
  // Whatever a task definition enables: there are no faults here to inject.
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
