import type { Container } from "../engine/container.ts";
import { AppError } from "../errors.ts";
import { containerDefinitionOf, isLabelled } from "./match-definition.ts";
import { LABELS, taskKey } from "./task.ts";
import type { TaskDefinition } from "./task-definition.ts";

/**
 * The task definition whose role a container is to have. Unlike that of a document it is told by the container alone, for
 * who else runs changes from moment to moment, and a role of the wrong one would be another task's keys: by its labels of
 * family and revision, else one of the family that its Compose project is called like, else all that name it, where they
 * have one role. A container that has none has no role, as on ECS.
 *
 * @param all the containers that are known: a label of another family in the same task makes it uncertain
 * @throws AppError `no-task-role` where there is none, or it cannot be told
 */
export function roleDefinitionOf(
  definitions: readonly TaskDefinition[],
  container: Container,
  all: () => Iterable<Container>,
): TaskDefinition {
  const { name, labels } = container;
  const family = labels[LABELS.family] || undefined;
  const revision = labels[LABELS.revision] || undefined;
  const possible = definitions.filter((one) => isLabelled(one, family, revision));
  if (family !== undefined) return theOne(possible, name, LABELS.revision);
  const own = possible.filter((one) => one.family === labels[LABELS.project]);
  const naming = possible.filter((one) => containerDefinitionOf(one, container) !== undefined);
  const found = theOne(own.length > 0 ? own : naming, name, LABELS.family);
  const key = taskKey(container);
  for (const other of key === undefined ? [] : all()) {
    const said = taskKey(other) === key ? other.labels[LABELS.family] : undefined;
    if (!said || said === found.family) continue;
    const text = `${name} fits the task definition '${found.family}' (${found.path}), and ${other.name} of its task is labelled '${said}'`;
    throw new AppError("no-task-role", text, { hint: `give the container the label ${LABELS.family}` });
  }
  return found;
}

/** @param label what tells them apart */
function theOne(fitting: readonly TaskDefinition[], name: string, label: string): TaskDefinition {
  const [first] = fitting;
  if (first === undefined) {
    throw new AppError("no-task-role", `No task definition given is that of ${name}, by its labels or its name`, {
      hint: `name it in one of ECS_LOCAL_TASK_DEFINITION, give it the label ${LABELS.family}, or ask for /role/<name>`,
    });
  }
  const other = fitting.find(({ taskRole }) => taskRole !== first.taskRole);
  if (other === undefined) return first;
  const text = `${name} fits the task definitions ${first.path} and ${other.path} alike, which have different roles`;
  throw new AppError("no-task-role", text, { hint: `give the container the label ${label}` });
}
