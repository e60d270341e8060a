import type { TaskConfig } from "../config/task.ts";
import type { Container } from "../engine/container.ts";
import type { Machine } from "../engine/container-store.ts";
import { zoneOf } from "./arn.ts";
import type { TaskDefinition } from "./task-definition.ts";

export const LABELS = {
  taskArn: "com.amazonaws.ecs.task-arn",
  containerName: "com.amazonaws.ecs.container-name",
  family: "com.amazonaws.ecs.task-definition-family",
  revision: "com.amazonaws.ecs.task-definition-version",
  cluster: "com.amazonaws.ecs.cluster",
  project: "com.docker.compose.project",
  service: "com.docker.compose.service",
  oneOff: "com.docker.compose.oneoff",
} as const;

/** What a task's containers say of their task definition. */
export interface Labelled {
  readonly family: string | undefined;
  readonly revision: string | undefined;
}

/** The task definition of a task, by all of its containers and what their labels say; undefined if none fits. */
export type DefinitionOf = (members: readonly Container[], labelled: Labelled) => TaskDefinition | undefined;

/** The description of a task, from labels, the configuration or the engine. */
export interface TaskDescription extends TaskConfig {
  readonly launchType: string;
  /** Whose limits V4 gives a task that has none of its own. */
  readonly machine: Machine | undefined;
  /** Undefined if no task definition is the task's. */
  readonly definition?: TaskDefinition | undefined;
}

/**
 * What a container shares with the other members of its task: its task ARN's label, else its Compose project.
 * Undefined outside of both, where all running containers of the machine are one task, as the reference has it.
 */
export function taskKey(container: Container): string | undefined {
  const arn = container.labels[LABELS.taskArn];
  if (arn) return `task ${arn}`;
  const project = container.labels[LABELS.project];
  return project ? `project ${project}` : undefined;
}

/** The running members of a task, in the order of their names. `undefined` is the machine's one task. */
export function members(containers: Iterable<Container>, key: string | undefined): Container[] {
  return [...containers].filter((container) => container.running && isOf(container, key)).sort(byName);
}

/** The members that stopped less than `withinMs` ago, in the order of their names. */
export function recentlyStopped(
  containers: Iterable<Container>,
  key: string | undefined,
  nowMs: number,
  withinMs: number,
): Container[] {
  return recentlyIdle(containers, key, nowMs, withinMs).filter(({ finishedAt }) => finishedAt !== undefined);
}

/** The members that stopped less than `withinMs` ago, or were made since and never ran, in the order of their names. */
export function recentlyIdle(
  containers: Iterable<Container>,
  key: string | undefined,
  nowMs: number,
  withinMs: number,
): Container[] {
  return [...containers]
    .filter((each) => !each.running && isOf(each, key) && nowMs - idleSinceMs(each) < withinMs)
    .sort(byName);
}

/** When a container that does not run last did, or was made, in milliseconds since 1970. */
export function idleSinceMs({ finishedAt, createdAt }: Container): number {
  return Date.parse(finishedAt ?? createdAt ?? "");
}

/** Whether `docker compose run` started it: the task does not stop with it. */
export function isOneOff({ labels }: Container): boolean {
  return labels[LABELS.oneOff]?.toLowerCase() === "true";
}

/**
 * A task by the labels that ECS gives its containers: each field is the first that a member names, running members
 * first, in the order of their names; of the machine's task, one that all say. What they leave out, the task's definition says, then the configuration, which is
 * the same for all tasks. Launch type and zone have defaults, because clients fail without them.
 *
 * @param definitionOf finds the task's definition; none has one, unless given
 */
export function describeTask(
  containers: Iterable<Container>,
  key: string | undefined,
  config: TaskConfig,
  machine: Machine | undefined,
  definitionOf?: DefinitionOf,
): TaskDescription {
  const own = [...containers]
    .filter((container) => taskKey(container) === key)
    .sort((a, b) => Number(b.running) - Number(a.running) || byName(a, b));
  const first = (label: string): string | undefined => {
    const value = own.find((container) => container.labels[label])?.labels[label];
    // Containers in no task have nothing in common: what one of them says is not true of the others.
    return key === undefined && own.some((container) => container.labels[label] !== value) ? undefined : value;
  };
  const taskArn = first(LABELS.taskArn) ?? config.taskArn;
  const [family, revision] = [first(LABELS.family), first(LABELS.revision)];
  // Stopped containers outside of projects are not members.
  const present = key === undefined ? own.filter((container) => container.running) : own;
  // A family and its revision are of one container.
  const named = family === undefined ? undefined : present.find(({ labels }) => labels[LABELS.family])?.labels;
  const labelled = { family: named?.[LABELS.family], revision: named ? named[LABELS.revision] || undefined : revision };
  const definition = definitionOf?.(present, labelled);
  return {
    ...config,
    cluster: first(LABELS.cluster) ?? config.cluster,
    taskArn,
    family: family ?? definition?.family ?? config.family,
    revision: revision ?? definition?.revision ?? config.revision,
    definition,
    launchType: (definition?.isFargate ? "FARGATE" : config.launchType) ?? "EC2",
    availabilityZone: config.availabilityZone ?? zoneOf(taskArn),
    machine,
    // Outside of awsvpc the agent shows the name of the engine's network, which the engine knows better.
    networkMode: definition?.isAwsvpc ? "awsvpc" : config.networkMode,
    cpu: definition?.cpu ?? config.cpu,
    memoryMiB: definition?.memoryMiB ?? config.memoryMiB,
  };
}

function isOf(container: Container, key: string | undefined): boolean {
  return key === undefined || taskKey(container) === key;
}

function byName(a: Container, b: Container): number {
  return a.name < b.name ? -1 : 1;
}
