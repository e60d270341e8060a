/** What the four `TASK_*` and `CLUSTER_ARN` variables of the reference say of a task that no label describes. */
interface TaskDefaults {
  readonly cluster: string;
  readonly taskArn: string;
  readonly family: string;
  readonly revision: string;
}

/** The words that ECS has for the network of a task. */
const NETWORK_MODES = ["awsvpc", "bridge", "host", "none", "default"] as const;
const LAUNCH_TYPES = ["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"] as const;

export type NetworkMode = (typeof NETWORK_MODES)[number];
export type Tags = Readonly<Record<string, string>>;

/** What only configuration can say of a task (task-endpoints 2.7), beside the reference's four. */
export interface TaskConfig extends TaskDefaults {
  readonly launchType?: string | undefined;
  readonly availabilityZone?: string | undefined;
  readonly serviceName?: string | undefined;
  readonly vpcId?: string | undefined;
  /** In vCPU, as 0.25. */
  readonly cpu?: number | undefined;
  readonly memoryMiB?: number | undefined;
  /** Stands in for the names of the engine's networks. */
  readonly networkMode?: NetworkMode | undefined;
  readonly tags?: Tags | undefined;
  readonly containerInstanceTags?: Tags | undefined;
}

/**
 * Reads what the environment says of tasks.
 *
 * @param read gives a variable without blanks around it, and undefined if it is unset or empty
 * @param problems takes a sentence for each value that cannot be used
 */
export function readTask(read: (name: string) => string | undefined, problems: string[]): TaskConfig {
  const choice = <T extends string>(name: string, allowed: readonly T[], fold: (text: string) => string) => {
    const value = read(name);
    const match = allowed.find((candidate) => candidate === (value && fold(value)));
    if (value && match === undefined) problems.push(`${name} is '${value}', which is not one of ${allowed.join(", ")}`);
    return match;
  };
  return {
    cluster: read("CLUSTER_ARN") ?? read("CLUSTER") ?? "ecs-local-cluster",
    taskArn:
      read("TASK_ARN") ??
      "arn:aws:ecs:us-west-2:111111111111:task/ecs-local-cluster/37e873f6-37b4-42a7-af47-eac7275c6152",
    family: read("TASK_DEFINITION_FAMILY") ?? "esc-local-task-definition",
    revision: read("TASK_DEFINITION_REVISION") ?? "1",
    launchType: choice("LAUNCH_TYPE", LAUNCH_TYPES, (text) => text.toUpperCase()),
    availabilityZone: read("AVAILABILITY_ZONE"),
    serviceName: read("SERVICE_NAME"),
    vpcId: read("VPC_ID"),
    cpu: size("TASK_CPU", read("TASK_CPU"), parseTaskCpu, CPU_FORMS, problems),
    memoryMiB: size("TASK_MEMORY", read("TASK_MEMORY"), parseTaskMemory, MEMORY_FORMS, problems),
    networkMode: choice("ECS_LOCAL_NETWORK_MODE", NETWORK_MODES, (text) => text.toLowerCase()),
    tags: readTags("TASK_TAGS", read("TASK_TAGS"), problems),
    containerInstanceTags: readTags("CONTAINER_INSTANCE_TAGS", read("CONTAINER_INSTANCE_TAGS"), problems),
  };
}

export const CPU_FORMS = "CPU units of at least 128 (256) nor vCPU (0.25 or '2 vCPU')";
export const MEMORY_FORMS = "MiB (512) nor GB (0.5 GB)";

function size(
  name: string,
  value: string | undefined,
  parse: (text: string) => number | undefined,
  forms: string,
  problems: string[],
): number | undefined {
  const parsed = value === undefined ? undefined : parse(value);
  if (value !== undefined && parsed === undefined) problems.push(`${name} is '${value}', which is neither ${forms}`);
  return parsed;
}

const UNITS_MIN = 128;
const VCPU_MAX = 192;

/**
 * A task's CPU in vCPU, from the forms of a task definition: `256` (CPU units, 1024 to a vCPU), `.25 vCPU`. ECS takes
 * no fewer than 128 units, so that a smaller whole number is a slip of who meant vCPU, and no more than 192 vCPU.
 * Undefined if it is neither.
 */
export function parseTaskCpu(text: string): number | undefined {
  const [, amount = "", unit] = /^(\d*\.?\d+)\s*(vcpu)?$/i.exec(text) ?? [];
  const value = amount === "" ? 0 : Number(amount);
  const vcpu = unit || amount.includes(".") ? value : value >= UNITS_MIN ? value / 1024 : 0;
  return vcpu > 0 && vcpu <= VCPU_MAX ? vcpu : undefined;
}

/** A task's memory in MiB, from the forms of a task definition: `512` (MiB), `1 GB`. Undefined if it is neither. */
export function parseTaskMemory(text: string): number | undefined {
  const [, amount = "", unit] = /^(\d*\.?\d+)\s*(gb)?$/i.exec(text) ?? [];
  // ECS takes a fraction of a GB, and cuts what it comes to.
  const mebibytes = unit ? Math.floor(Number(amount) * 1024) : Number(amount || 0);
  return mebibytes >= 1 && Number.isSafeInteger(mebibytes) ? mebibytes : undefined;
}

/** Tags as a JSON object, as the list of the ECS API (`[{"key":"k","value":"v"}]`), or as `k=v,k=v`. */
function readTags(name: string, value: string | undefined, problems: string[]): Tags | undefined {
  if (value === undefined) return undefined;
  const tags = /^[[{]/.test(value) ? tagsOfJson(value) : tagsOfPairs(value);
  if (typeof tags === "object") return tags;
  problems.push(`${name} ${tags}: give a JSON object such as {"team":"shop"}, or team=shop,stage=dev`);
  return undefined;
}

function tagsOfPairs(text: string): Tags | string {
  const pairs: [string, string][] = [];
  for (const pair of text.split(",").map((part) => part.trim())) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    if (at < 1) return `has '${pair}', which is not key=value`;
    pairs.push([pair.slice(0, at).trim(), pair.slice(at + 1).trim()]);
  }
  return toTags(pairs);
}

function tagsOfJson(text: string): Tags | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `is not JSON (${(error as Error).message})`;
  }
  if (!Array.isArray(value)) return toTags(Object.entries(value as object));
  return toTags(value.map((tag) => [tag?.key ?? tag?.Key, tag?.value ?? tag?.Value ?? ""]));
}

function toTags(pairs: readonly (readonly [unknown, unknown])[]): Tags | string {
  const tags: Record<string, string> = {};
  for (const [key, value] of pairs) {
    if (typeof key !== "string" || key === "") return "has a tag without a key";
    if (typeof value !== "string") return `has the key '${key}', whose value is not a string`;
    if (Object.hasOwn(tags, key)) return `has the key '${key}' twice`;
    // A key may be called like an object's own property.
    Object.defineProperty(tags, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return tags;
}
