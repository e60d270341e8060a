import type { ContainerDefinition, TaskDefinition } from "../../../src/metadata/task-definition.ts";

/** A task definition of a family, with containers by name or with more about them. */
export function definition(
  family: string,
  containers: readonly (string | (Partial<ContainerDefinition> & { name: string }))[],
  more: Partial<TaskDefinition> = {},
): TaskDefinition {
  const made = containers.map((given) => containerDefinition(typeof given === "string" ? { name: given } : given));
  return {
    path: `${family}.json`,
    family,
    revision: undefined,
    cpu: undefined,
    memoryMiB: undefined,
    isFargate: false,
    isAwsvpc: false,
    taskRole: undefined,
    containers: new Map(made.map((each) => [each.name, each])),
    ...more,
  };
}

function containerDefinition(given: Partial<ContainerDefinition> & { name: string }): ContainerDefinition {
  return {
    cpu: undefined,
    memoryMiB: undefined,
    essential: true,
    log: undefined,
    hasHealthCheck: false,
    restarts: false,
    dockerLabels: {},
    ...given,
  };
}
