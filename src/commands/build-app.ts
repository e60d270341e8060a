import type { Config } from "../config/config.ts";
import type { Container } from "../engine/container.ts";
import type { Inventory } from "../engine/inventory.ts";
import { createStatsStreams } from "../engine/stats-stream.ts";
import type { Log } from "../log.ts";
import { isTaskArn } from "../metadata/arn.ts";
import { createIntrospection, type Introspection } from "../metadata/introspection.ts";
import { createLookup } from "../metadata/lookup.ts";
import { createDefinitions, roleDefinitionOf } from "../metadata/match-definition.ts";
import { createMetadata, type Metadata } from "../metadata/metadata.ts";
import { createStats } from "../metadata/stats.ts";
import type { readTaskDefinition, TaskDefinition } from "../metadata/task-definition.ts";
import { createBodies } from "../metadata/task-document.ts";
import { type AgentApi, createAgentApi, createProtections } from "../metadata/task-protection.ts";
import { createTasks } from "../metadata/tasks.ts";
import { type FilesConfig, readMetadataFiles } from "./metadata-files.ts";

/** All that answers for containers and their tasks. */
interface Documents {
  readonly metadata: Metadata;
  readonly agentApi: AgentApi;
  readonly introspection: Introspection;
  /** The task definition whose role a container is to have. Throws AppError `no-task-role`. */
  readonly roleDefinitionOf: (container: Container) => TaskDefinition;
  readonly close: () => void;
}

/**
 * Puts together what the documents are made by, for the app.
 *
 * @param deps.now milliseconds of the wall's clock; `monotonic` of one that nobody sets
 * @throws AppError `bad-configuration` for a file that cannot be used
 */
export function createDocuments(deps: {
  readonly config: Pick<Config, "task"> & FilesConfig;
  readonly inventory: Inventory;
  readonly isOwnAddress: (address: string) => boolean;
  readonly log: Log;
  readonly now: () => number;
  readonly monotonic: () => number;
  /** Needed where the configuration names task definitions. */
  readonly readDefinition?: typeof readTaskDefinition | undefined;
  readonly streamsMax?: number | undefined;
}): Documents {
  const { config, inventory, log, now } = deps;
  const { picture } = inventory;
  if (!isTaskArn(config.task.taskArn)) {
    const hint = "give one such as arn:aws:ecs:us-west-2:111122223333:task/cluster/0f9de17a6465404e8b1b2356dc13c2f8";
    log.warning("this is no task's ARN: zone and containers' ARNs are left out", { variable: "TASK_ARN", hint });
  }
  const files = readMetadataFiles(config, log, deps.readDefinition);
  const bodies = createBodies({
    networks: picture.networks,
    get taskOverride() {
      return files.overrides.taskOverride;
    },
    get containerOverride() {
      return files.overrides.containerOverride;
    },
  });
  const streams = createStatsStreams({
    engine: inventory.engine,
    isRunning: (id) => picture.containers.get(id)?.running ?? false,
    nameOf: (id) => picture.containers.get(id)?.name ?? "",
    startedAt: (id) => picture.containers.get(id)?.startedAt,
    log,
    now: deps.monotonic,
    streamsMax: deps.streamsMax,
  });
  const lookup = createLookup({ inventory, isOwnAddress: deps.isOwnAddress });
  const hasDefinitions = config.taskDefinitionPaths.length > 0;
  const tasks = createTasks({
    picture,
    bodies,
    config: config.task,
    definitionOf: hasDefinitions ? createDefinitions(files.definitions, log) : undefined,
    filesRevision: files.revision,
    now,
  });
  const protections = createProtections({
    now,
    idsOf: (key) => (tasks.index().get(key) ?? []).map(({ id }) => id),
    isPresent: (id) => picture.containers.has(id),
  });
  return {
    metadata: createMetadata({ picture, lookup, tasks, stats: createStats(streams), now }),
    agentApi: createAgentApi({ lookup, tasks, protections }),
    introspection: createIntrospection({ inventory, tasks }),
    roleDefinitionOf: (container) =>
      roleDefinitionOf(files.definitions(), container, () => picture.containers.values()),
    close() {
      files.close();
      streams.close();
    },
  };
}
