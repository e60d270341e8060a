import type { Config } from "../config.ts";
import type { Inventory } from "../engine/inventory.ts";
import { createStatsStreams } from "../engine/stats-stream.ts";
import type { Log } from "../log.ts";
import { createBodies } from "../metadata/bodies.ts";
import { createLookup } from "../metadata/lookup.ts";
import { createMetadata, type Metadata } from "../metadata/metadata.ts";
import { readOverride } from "../metadata/overrides.ts";
import { createStats } from "../metadata/stats.ts";
import { createTasks } from "../metadata/tasks.ts";

/** All that answers for containers and their tasks. */
export interface Documents {
  readonly metadata: Metadata;
  readonly close: () => void;
}

/**
 * Puts together what the documents are made by, for the app.
 *
 * @param deps.now milliseconds of the wall's clock; `monotonic` of one that nobody sets
 * @throws AppError `bad-configuration` for a file that cannot be used
 */
export function createDocuments(deps: {
  readonly config: Pick<Config, "task" | "taskMetadataPath" | "containerMetadataPath">;
  readonly inventory: Inventory;
  readonly isOwnAddress: (address: string) => boolean;
  readonly log: Log;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly streamsMax?: number | undefined;
}): Documents {
  const { config, inventory, log, now } = deps;
  const { picture } = inventory;
  const bodies = createBodies({
    networks: picture.networks,
    taskOverride: readOverride("TASK_METADATA_PATH", config.taskMetadataPath),
    containerOverride: readOverride("CONTAINER_METADATA_PATH", config.containerMetadataPath),
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
  const tasks = createTasks({ picture, bodies, config: config.task, now });
  return {
    metadata: createMetadata({ picture, lookup, tasks, stats: createStats(streams), now }),
    close: streams.close,
  };
}
