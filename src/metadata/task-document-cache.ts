import type { JsonObject } from "../config/json-file.ts";
import type { Container } from "../engine/container.ts";
import type { Network } from "../engine/container-store.ts";
import { containerDocument, type DocumentVersion } from "./container-document.ts";
import { mergeOver, mergeOverContainer } from "./overrides.ts";
import { LABELS, type TaskDescription } from "./task.ts";
import { type TaskState, taskDocument } from "./task-document.ts";

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
