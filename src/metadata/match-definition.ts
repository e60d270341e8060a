import type { Container } from "../engine/container.ts";
import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import { type DefinitionOf, isOneOff, LABELS, taskKey } from "./task.ts";
import type { ContainerDefinition, TaskDefinition } from "./task-definition.ts";

const LOGGED_MAX = 1_000;

/**
 * Finds which task has which definition. A task that is labelled with a family has a definition of that family, and of
 * that revision where both say one, or none. Else it is the one whose family the Compose project is called like, else the
 * one that names most of the members; of several, the one with fewest containers that the
 * task lacks, then the first in the order given, which is logged once.
 */
export function createDefinitions(definitions: () => readonly TaskDefinition[], log: Log): DefinitionOf {
  const logged = new Set<string>();

  function sayTie(first: TaskDefinition, others: readonly TaskDefinition[], member: string): void {
    const cause = `so does ${others.map(({ path }) => path).join(" and ")}`;
    const key = `${member} ${first.path} ${cause}`;
    if (logged.has(key)) return;
    if (logged.size >= LOGGED_MAX) logged.clear();
    logged.add(key);
    log.warning("a task definition was taken for a task that another one fits as well", {
      container: member,
      path: first.path,
      cause,
      hint: `label the task's containers with ${LABELS.family}`,
    });
  }

  return (containers, { family, revision }) => {
    const candidates = definitions().filter((one) => isLabelled(one, family, revision));
    if (candidates.length === 0) return undefined;
    const regular = containers.filter((each) => !isOneOff(each));
    const members = regular.length > 0 ? regular : containers;
    // Containers in no task have nothing in common.
    const isLoose = members[0] !== undefined && taskKey(members[0]) === undefined;
    const [best, ...others] = candidates
      .map((definition) => ({ definition, ...fit(definition, members) }))
      .filter(({ isOwn, named }) => isOwn || family !== undefined || (isLoose ? named === members.length : named > 0))
      .sort((a, b) => Number(b.isOwn) - Number(a.isOwn) || b.named - a.named || a.lacking - b.lacking);
    const equals = others.filter(
      ({ isOwn, named, lacking }) => isOwn === best?.isOwn && named === best.named && lacking === best.lacking,
    );
    if (best && equals.length > 0) {
      const member = members.map(({ name }) => name).sort()[0] ?? "";
      sayTie(
        best.definition,
        equals.map(({ definition }) => definition),
        member,
      );
    }
    return best?.definition;
  };
}

/** How many members a definition names, and how many of its containers none of them is. */
function fit(definition: TaskDefinition, members: readonly Container[]) {
  const found = members.flatMap((member) => containerDefinitionOf(definition, member) ?? []);
  const isOwn = members.some((member) => member.labels[LABELS.project] === definition.family);
  return { isOwn, named: found.length, lacking: definition.containers.size - new Set(found).size };
}

/** Whether a definition is one of which labels speak, as far as they say something. */
function isLabelled(definition: TaskDefinition, family: string | undefined, revision: string | undefined) {
  if (revision !== undefined && (definition.revision ?? revision) !== revision) return false;
  return family === undefined || definition.family === family;
}

/** What a task's definition says of a container: by its label, its Compose service or its name. */
export function containerDefinitionOf(
  definition: TaskDefinition | undefined,
  { labels, name }: Container,
): ContainerDefinition | undefined {
  if (definition === undefined) return undefined;
  for (const called of [labels[LABELS.containerName], labels[LABELS.service], name]) {
    const found = called && definition.containers.get(called);
    if (found) return found;
  }
  return undefined;
}

/**
 * The task definition whose role a container is to have. Unlike a document's, it depends on the container alone, because
 * who else runs changes from moment to moment, and a role of the wrong one would be another task's keys: by its labels of
 * family and revision, else one of the family that its Compose project is called like, else all that name it, where they
 * have one role. A container that has none has no role, as on ECS.
 *
 * @param all the containers that are known: a label of another family in the same task makes it uncertain
 * @throws AppError `no-task-role` if there is none, or if it is ambiguous
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
    const family = taskKey(other) === key ? other.labels[LABELS.family] : undefined;
    if (!family || family === found.family) continue;
    const text = `${name} fits the task definition '${found.family}' (${found.path}), and ${other.name} of its task is labelled '${family}'`;
    throw new AppError("no-task-role", text, { hint: `give the container the label ${LABELS.family}` });
  }
  return found;
}

/** @param label what differs between them */
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
