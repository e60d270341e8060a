import type { Container } from "../engine/container.ts";
import { AppError } from "../errors.ts";
import { containerDefinitionOf, isLabelled } from "./definitions.ts";
import { LABELS, taskKey } from "./task.ts";
import type { TaskDefinition } from "./task-definition.ts";

/**
 * The task definition whose role a container is to have; undefined where none is its own. Unlike that of a document it
 * is told by the container alone, for who else runs changes from moment to moment, and a role of the wrong one would be
 * another task's keys: by its labels of family and revision, else one of the family that its Compose project is
 * called like, else all that name it, where they have one role.
 *
 * @param all the containers that are known: one that no definition names has no role beside one that is named
 * @throws AppError `no-task-role` where it cannot be told
 */
export function roleDefinitionOf(
  definitions: readonly TaskDefinition[],
  container: Container,
  all: () => Iterable<Container>,
): TaskDefinition | undefined {
  const { name, labels } = container;
  const family = labels[LABELS.family] || undefined;
  const revision = labels[LABELS.revision] || undefined;
  const possible = definitions.filter((one) => isLabelled(one, family, revision));
  if (family !== undefined) {
    if (possible.length > 0) return theOne(possible, name, LABELS.revision);
    const label = `${family}${revision === undefined ? "" : `:${revision}`}`;
    throw new AppError("no-task-role", `No task definition given is of '${label}', as ${name} is labelled`, {
      hint: `add its file to ECS_LOCAL_TASK_DEFINITION, or change the label ${LABELS.family}`,
    });
  }
  const own = possible.filter((one) => one.family === labels[LABELS.project]);
  if (own.length > 0) return theOne(own, name, LABELS.family);
  const naming = possible.filter((one) => containerDefinitionOf(one, container) !== undefined);
  if (naming.length > 0) return theOne(naming, name, LABELS.family);
  const key = taskKey(container);
  if (key === undefined) return undefined;
  for (const sibling of all()) {
    const other = taskKey(sibling) === key && definitions.find((one) => containerDefinitionOf(one, sibling));
    if (!other) continue;
    const text = `${name} is no container of the task definition '${other.family}' (${other.path}), as others of its task are`;
    throw new AppError("no-task-role", text, { hint: "add it to the definition, or ask for /role/<name>" });
  }
  return undefined;
}

function theOne(fitting: readonly TaskDefinition[], name: string, label: string): TaskDefinition | undefined {
  const [first] = fitting;
  const other = fitting.find(({ taskRole }) => taskRole !== first?.taskRole);
  if (first === undefined || other === undefined) return first;
  const text = `${name} fits the task definitions ${first.path} and ${other.path} alike, which have different roles`;
  throw new AppError("no-task-role", text, { hint: `give the container the label ${label}` });
}
