import type { TaskDefaults } from "../config.ts";
import type { Container } from "../engine/container.ts";

export const LABELS = {
  taskArn: "com.amazonaws.ecs.task-arn",
  containerName: "com.amazonaws.ecs.container-name",
  family: "com.amazonaws.ecs.task-definition-family",
  revision: "com.amazonaws.ecs.task-definition-version",
  cluster: "com.amazonaws.ecs.cluster",
  project: "com.docker.compose.project",
  service: "com.docker.compose.service",
} as const;

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
  return [...containers]
    .filter((container) => container.running && (key === undefined || taskKey(container) === key))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The members that stopped less than `withinMs` ago: in task stats their keys stay for a while. */
export function recentlyStopped(
  containers: Iterable<Container>,
  key: string | undefined,
  nowMs: number,
  withinMs: number,
): Container[] {
  return [...containers].filter((container) => {
    if (container.running || container.finishedAt === undefined) return false;
    if (key !== undefined && taskKey(container) !== key) return false;
    return nowMs - Date.parse(container.finishedAt) < withinMs;
  });
}

/**
 * A task by the labels that ECS gives its containers: each field is the first that a member names, running members
 * first, in the order of their names, and configuration says what they leave out.
 */
export function describeTask(
  containers: Iterable<Container>,
  key: string | undefined,
  defaults: TaskDefaults,
): TaskDefaults {
  const own = [...containers]
    .filter((container) => taskKey(container) === key)
    .sort((a, b) => Number(b.running) - Number(a.running) || (a.name < b.name ? -1 : 1));
  const first = (label: string): string | undefined => own.find((container) => container.labels[label])?.labels[label];
  return {
    cluster: first(LABELS.cluster) ?? defaults.cluster,
    taskArn: first(LABELS.taskArn) ?? defaults.taskArn,
    family: first(LABELS.family) ?? defaults.family,
    revision: first(LABELS.revision) ?? defaults.revision,
  };
}
