import { isObject, type JsonObject, readJsonObject } from "../config/json-file.ts";
import { AppError } from "../errors.ts";

/** The reference's deep merge: objects key by key, anything else is replaced, and the file wins. */
export function mergeOver(document: JsonObject, override: JsonObject | undefined): JsonObject {
  if (override === undefined) return document;
  const merged: Record<string, unknown> = { ...document };
  for (const [key, value] of Object.entries(override)) {
    const present = Object.hasOwn(merged, key) ? merged[key] : undefined;
    const next = isObject(value) && isObject(present) ? mergeOver(present, value) : value;
    // A key may be called like an object's own property.
    Object.defineProperty(merged, key, { value: next, enumerable: true, configurable: true, writable: true });
  }
  return merged;
}

/** Every field that a container's document has in any version (task-endpoints 2.2). */
export const CONTAINER_FIELDS: ReadonlySet<string> = new Set(
  (
    "DockerId Name DockerName Image ImageID Ports Labels DesiredStatus KnownStatus ExitCode Limits CreatedAt StartedAt " +
    "FinishedAt Type Networks Health Volumes LogDriver LogOptions ContainerARN Snapshotter RestartCount"
  ).split(" "),
);

/** The keys of an override that are containers' names. */
export function namesOf(override: JsonObject): readonly string[] {
  return Object.keys(override).filter((key) => isObject(override[key]) && !CONTAINER_FIELDS.has(key));
}

/**
 * The same for a container's document. A key with an object that is not a field is what a container of that name is given
 * over what all are given; every other key is for all.
 *
 * @param names what the container is called: its Name, its Docker name, its Compose service
 */
export function mergeOverContainer(
  document: JsonObject,
  override: JsonObject | undefined,
  names: readonly (string | undefined)[],
): JsonObject {
  if (override === undefined) return document;
  const named = namesOf(override);
  const entries = Object.entries(override);
  let merged = mergeOver(document, Object.fromEntries(entries.filter(([key]) => !named.includes(key))));
  for (const [name, own] of entries.filter(([key]) => named.includes(key))) {
    if (names.includes(name)) merged = mergeOver(merged, own as JsonObject);
  }
  return merged;
}

/**
 * Reads a file of what a user puts over documents.
 *
 * @throws AppError `bad-configuration`, as `readJsonObject`, and if it is nested too deep to be merged and written
 */
export function readOverride(variable: string, path: string): JsonObject {
  const read = readJsonObject(variable, path);
  try {
    // The documents that it goes into have some levels of their own.
    JSON.stringify([[[[mergeOver(read, read)]]]]);
  } catch (cause) {
    const text = `${variable} is '${path}', which is nested too deep to be written into a document`;
    throw new AppError("bad-configuration", text, { cause });
  }
  return read;
}
