import { isObject, parseWithDigits } from "./json-digits.ts";
import { rateBetween, type Traffic, trafficOf } from "./network-rate.ts";
import { editStats } from "./stats-edits.ts";
import { toNanoseconds } from "./time.ts";

/** A container's statistics at one moment, as JSON text. It is made when it is first asked for, and then kept. */
export interface Sample {
  /** Whether it has an earlier reading (`precpu_stats`) beside it: the first of a stream has none. */
  readonly complete: boolean;
  /** As V2 and V3 have them: the engine's own text where there is nothing to edit. */
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
  /** Nanoseconds since 1970; undefined where the frame has no time. */
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
    // One that is no later than the one before it leaves the rates as they were, as in the agent.
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
