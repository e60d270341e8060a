import { toNanoseconds } from "./time.ts";

/** A container's statistics at one moment, as JSON text. It is made when it is first asked for, and then kept. */
export interface Sample {
  /** Whether it has an earlier reading (`precpu_stats`) beside it: the first of a stream has none. */
  readonly complete: boolean;
  /** As V2 and V3 have them: the engine's own text if there is nothing to edit. */
  readonly plain: () => string;
  /** As V4 has them: with `network_rate_stats` once there are two readings of a network. */
  readonly rated: () => string;
}

/** What we read of a frame of the engine's before anyone asks for it. */
export interface Frame {
  readonly read?: unknown;
  readonly precpu_stats?: {
    readonly system_cpu_usage?: number;
    readonly cpu_usage?: { readonly total_usage?: number } | null;
  } | null;
}

/** The container's, for frames that leave them out. */
export type Identity = () => { readonly id: string; readonly name: string };

interface Reading {
  /** Nanoseconds since 1970; undefined if the frame has no time. */
  readonly atNs: bigint | undefined;
  readonly text: () => string;
  readonly traffic: () => Traffic | undefined;
}

/** Two readings of different times. They know of no earlier ones, so that nothing is kept of those. */
interface Pair {
  readonly from: Reading;
  readonly to: Reading;
  readonly elapsedNs: bigint;
}

/** Makes a sample of each frame of one container's stream; rates are those between its two latest readings. */
export function createSampler(identity: Identity): (line: string, frame: Frame) => Sample {
  let latest: Reading | undefined;
  let pair: Pair | undefined;
  let complete = false;

  return (line, frame) => {
    const reading = createReading(line, frame, identity);
    // A sample that is not later than the previous one keeps its rates, as in the agent.
    if (latest?.atNs !== undefined && reading.atNs !== undefined && reading.atNs > latest.atNs) {
      pair = { from: latest, to: reading, elapsedNs: reading.atNs - latest.atNs };
    }
    latest = reading;
    const { system_cpu_usage: machineNs = 0, cpu_usage: own } = frame.precpu_stats ?? {};
    // Windows does not say what the machine has used.
    complete ||= machineNs > 0 || (own?.total_usage ?? 0) > 0;
    const between = pair;
    return { complete, plain: reading.text, rated: once(() => withRates(reading, between)) };
  };
}

function createReading(line: string, { read }: Frame, identity: Identity): Reading {
  const made = once((): { text: string; traffic?: Traffic | undefined } => {
    try {
      const document = parseWithDigits(line);
      if (!isObject(document)) return { text: line };
      const traffic = trafficOf(document);
      return { text: editStats(document, identity()) ? JSON.stringify(document) : line, traffic };
    } catch {
      // It is JSON, so it is nested too deep for that. No engine's is: it is answered as it came.
      return { text: line };
    }
  });
  const atNs = typeof read === "string" ? toNanoseconds(read) : undefined;
  return { atNs, text: () => made().text, traffic: () => made().traffic };
}

function withRates(reading: Reading, pair: Pair | undefined): string {
  const text = reading.text();
  const [from, to] = [pair?.from.traffic(), pair?.to.traffic()];
  if (reading.traffic() === undefined || !pair || !from || !to) return text;
  const rates = JSON.stringify(rateBetween(from, to, pair.elapsedNs));
  return `${text.slice(0, text.lastIndexOf("}"))},"network_rate_stats":${rates}}`;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

export type JsonObject = Record<string, unknown>;

interface RawNumber {
  readonly rawJSON: string;
}

/** Of ECMAScript 2026; TypeScript's types do not have them yet. */
const json = JSON as unknown as {
  readonly parse: (
    text: string,
    revive: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ) => unknown;
  readonly rawJSON: (text: string) => RawNumber;
  readonly isRawJSON: (value: unknown) => value is RawNumber;
};

/**
 * JSON with every number as the digits that it was written with, which `JSON.stringify` writes again: the engine's
 * counters are unsigned 64-bit, and 18446744073709551615 read as a number is written as 18446744073709552000.
 *
 * @throws SyntaxError for what is not JSON, and RangeError for what is nested some thousand times
 */
export function parseWithDigits(text: string): unknown {
  return json.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined ? json.rawJSON(source) : value,
  );
}

/** A counter of such a document; undefined for anything else. */
export function toCounter(value: unknown): bigint | undefined {
  return json.isRawJSON(value) && /^\d+$/.test(value.rawJSON) ? BigInt(value.rawJSON) : undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !json.isRawJSON(value);
}

const SECOND_NS = 1_000_000_000n;

/** The bytes that all interfaces of a container have received and sent, by one reading. */
interface Traffic {
  readonly rx: bigint;
  readonly tx: bigint;
}

/** Undefined if the engine counts none: the container has the host's network, or none at all. */
function trafficOf({ networks }: JsonObject): Traffic | undefined {
  if (!isObject(networks)) return undefined;
  const total = { rx: 0n, tx: 0n };
  for (const counters of Object.values(networks)) {
    if (!isObject(counters)) continue;
    total.rx += toCounter(counters.rx_bytes) ?? 0n;
    total.tx += toCounter(counters.tx_bytes) ?? 0n;
  }
  return total;
}

/** The agent's `network_rate_stats` of two readings. A counter that goes back wraps in the agent; here its rate is 0. */
function rateBetween(from: Traffic, to: Traffic, elapsedNs: bigint) {
  const rate = (before: bigint, after: bigint) =>
    after <= before ? 0 : Number((after - before) * SECOND_NS) / Number(elapsedNs);
  return { rx_bytes_per_sec: rate(from.rx, to.rx), tx_bytes_per_sec: rate(from.tx, to.tx) };
}

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
