import { isObject, type JsonObject } from "./json-digits.ts";

/** Docker writes them in lower case on cgroup v2; clients look for those of cgroup v1. */
const OPERATIONS = new Map(
  ["Read", "Write", "Sync", "Async", "Discard", "Total"].map((name) => [name.toLowerCase(), name]),
);
const OPERATION_COUNTERS = ["major", "minor", "value"];
const CPU_COUNTERS = ["total_usage", "usage_in_kernelmode", "usage_in_usermode"];
const NETWORK_COUNTERS = ["rx", "tx"].flatMap((way) =>
  ["bytes", "packets", "errors", "dropped"].map((what) => `${way}_${what}`),
);

/**
 * Makes the engine's document of statistics one that no client breaks on: the id and the name that its samples are
 * joined by, block operations spelled as clients look for them, and 0 for the counters that they read without asking
 * whether they are there (the OpenTelemetry collector ends on one that is missing).
 *
 * @param document is changed in place; all else in it stays
 * @returns whether anything was changed
 */
export function editStats(document: JsonObject, identity: { readonly id: string; readonly name: string }): boolean {
  let edited = false;

  function put(object: JsonObject, key: string, value: unknown): void {
    object[key] = value;
    edited = true;
  }

  function fill(object: JsonObject, counters: readonly string[]): void {
    for (const key of counters) if ((object[key] ?? undefined) === undefined) put(object, key, 0);
  }

  function objectIn(object: JsonObject, key: string): JsonObject {
    const found = object[key];
    if (isObject(found)) return found;
    const made: JsonObject = {};
    put(object, key, made);
    return made;
  }

  const { cpu_stats: cpu, networks, blkio_stats: block } = document;
  if (isObject(cpu) && isObject(cpu.cpu_usage)) {
    fill(cpu.cpu_usage, CPU_COUNTERS);
    fill(objectIn(objectIn(document, "precpu_stats"), "cpu_usage"), CPU_COUNTERS);
  }
  for (const counters of valuesOf(networks).filter(isObject)) fill(counters, NETWORK_COUNTERS);
  for (const entry of valuesOf(block).filter(Array.isArray).flat().filter(isObject)) {
    const operation = typeof entry.op === "string" ? OPERATIONS.get(entry.op.toLowerCase()) : undefined;
    if (operation !== undefined && operation !== entry.op) put(entry, "op", operation);
    fill(entry, OPERATION_COUNTERS);
  }
  if (!document.name) put(document, "name", `/${identity.name}`);
  if (!document.id) put(document, "id", identity.id);
  return edited;
}

function valuesOf(value: unknown): unknown[] {
  return isObject(value) ? Object.values(value) : [];
}
