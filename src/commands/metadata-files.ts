import type { Config } from "../config/config.ts";
import type { JsonObject } from "../config/json-file.ts";
import { type WatchedFile, watchFiles } from "../config/watched-files.ts";
import { parseRole } from "../credentials/role.ts";
import type { Log } from "../log.ts";
import { namesOf, readOverride } from "../metadata/overrides.ts";
import type { readTaskDefinition, TaskDefinition } from "../metadata/task-definition.ts";

/** What the files that users write say of tasks and containers, as they are now. */
interface MetadataFiles {
  readonly overrides: {
    readonly taskOverride: JsonObject | undefined;
    readonly containerOverride: JsonObject | undefined;
  };
  readonly definitions: () => readonly TaskDefinition[];
  /** Grows with every change. */
  readonly revision: () => number;
  readonly close: () => void;
}

/** The part of the configuration that names them. */
export type FilesConfig = Pick<
  Config,
  "taskMetadataPath" | "containerMetadataPath" | "taskDefinitionPaths" | "useTaskRole"
>;

/**
 * Reads the files that documents are made of, and again when they change.
 *
 * @param readDefinition needed where the configuration names task definitions
 * @throws AppError `bad-configuration` with every problem of all of them
 */
export function readMetadataFiles(
  config: FilesConfig,
  log: Log,
  readDefinition: typeof readTaskDefinition | undefined,
): MetadataFiles {
  const overrides: { taskOverride: JsonObject | undefined; containerOverride: JsonObject | undefined } = {
    taskOverride: undefined,
    containerOverride: undefined,
  };
  const found = new Map<string, TaskDefinition>();
  let definitions: readonly TaskDefinition[] = [];
  let revision = 0;

  function file(variable: string, path: string | undefined, takeUp: (path: string) => void): WatchedFile[] {
    if (path === undefined) return [];
    const read = () => {
      takeUp(path);
      revision += 1;
    };
    return [{ variable, path, read }];
  }

  const checkRole = config.useTaskRole ? (role: string) => void parseRole(role, "any") : undefined;
  const watch = watchFiles(
    [
      ...file("TASK_METADATA_PATH", config.taskMetadataPath, (path) => {
        overrides.taskOverride = readOverride("TASK_METADATA_PATH", path);
      }),
      ...file("CONTAINER_METADATA_PATH", config.containerMetadataPath, (path) => {
        const read = readOverride("CONTAINER_METADATA_PATH", path);
        overrides.containerOverride = read;
        // A field of one's own that holds an object, and a name that is misspelt, would be lost without a word.
        const names = namesOf(read).join(", ");
        if (names) log.info("parts of the file are for the containers of these names", { path, container: names });
      }),
      ...config.taskDefinitionPaths.flatMap((named) =>
        file("ECS_LOCAL_TASK_DEFINITION", named, (path) => {
          // A key that is set again keeps its place: the order is the one given.
          if (readDefinition === undefined) throw new TypeError("nothing was given that reads task definitions");
          found.set(path, readDefinition("ECS_LOCAL_TASK_DEFINITION", path, checkRole));
          definitions = [...found.values()];
        }),
      ),
    ],
    log,
  );
  return { overrides, definitions: () => definitions, revision: () => revision, close: watch.close };
}
