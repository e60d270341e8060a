import { isObject, type JsonObject, toCounter } from "./json-digits.ts";

const SECOND_NS = 1_000_000_000n;

/** The bytes that all interfaces of a container have received and sent, by one reading. */
export interface Traffic {
  readonly rx: bigint;
  readonly tx: bigint;
}

/** Undefined where the engine counts none: the container has the host's network, or none at all. */
export function trafficOf({ networks }: JsonObject): Traffic | undefined {
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
export function rateBetween(from: Traffic, to: Traffic, elapsedNs: bigint) {
  const rate = (before: bigint, after: bigint) =>
    after <= before ? 0 : Number((after - before) * SECOND_NS) / Number(elapsedNs);
  return { rx_bytes_per_sec: rate(from.rx, to.rx), tx_bytes_per_sec: rate(from.tx, to.tx) };
}
