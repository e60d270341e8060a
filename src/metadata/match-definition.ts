import type { Container } from "../engine/container.ts";
import type { Log } from "../log.ts";
import { type DefinitionOf, isOneOff, LABELS, taskKey } from "./task.ts";
import type { ContainerDefinition, TaskDefinition } from "./task-definition.ts";

const SAID_MAX = 1_000;

/**
 * Finds which task has which definition. A task that is labelled with a family has a definition of that family, and of
 * that revision where both say one, or none. Else it is the one whose family the Compose project is called like, else the
 * one that names most of the members; of several, the one with fewest containers that the
 * task lacks, then the first in the order given, which is said once in the log.
 */
export function createDefinitions(definitions: () => readonly TaskDefinition[], log: Log): DefinitionOf {
  const said = new Set<string>();

  function sayTie(first: TaskDefinition, others: readonly TaskDefinition[], member: string): void {
    const cause = `so does ${others.map(({ path }) => path).join(" and ")}`;
    const key = `${member} ${first.path} ${cause}`;
    if (said.has(key)) return;
    if (said.size >= SAID_MAX) said.clear();
    said.add(key);
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
    // Containers in no task have nothing in common but what is said of each.
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
export function isLabelled(definition: TaskDefinition, family: string | undefined, revision: string | undefined) {
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
