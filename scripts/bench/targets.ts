import type { IdlePair } from "./idle.ts";
import type { MemoryRow } from "./memory.ts";
import type { Rate, Rates } from "./rates.ts";
import type { Verdict } from "./report.ts";
import type { Starts } from "./start.ts";

/** The share of a bare server's efficiency that ours must reach. */
const EFFICIENCY: Readonly<Partial<Record<Rate["what"], number>>> = {
  container: 0.7,
  "v4 container": 0.7,
  creds: 0.65,
};
const STATS_MS_MAX: Readonly<Partial<Record<Rate["what"], number>>> = {
  stats: 5,
  "v4 stats": 5,
  "v4 task stats of ten": 20,
};
const START_OVER_BARE_MS_MAX = 9;
/** Of dirty pages: the clean ones are the executable's, and are private only while nobody else runs it. */
const PRIVATE_MB_MAX = 20;
const GROWTH_MAX = 1.05;
const IDLE_WAKE_UPS_MAX = 10;
const IDLE_CPU_OF_BARE_MAX = 2;

/** What the design is measured by, as far as it can be seen without the reference. */
export function verdicts(
  sizes: readonly Rates[],
  starts: Starts,
  memory: readonly MemoryRow[],
  idle: IdlePair,
): Verdict[] {
  const found: Verdict[] = [];
  const smallest = sizes[0]?.rates;
  for (const { rates, engineCalls, stsCalls } of sizes) {
    for (const { what, containers, ours, efficiency } of rates) {
      const of = `${what}, ${containers} containers`;
      const msMax = STATS_MS_MAX[what];
      if (msMax) found.push({ what: `${of}: p99 ms`, seen: ours.p99Ms, target: msMax, atLeast: false });
      const efficiencyMin = EFFICIENCY[what];
      if (!efficiencyMin) continue;
      found.push({ what: `${of}: of bare`, seen: efficiency, target: efficiencyMin, atLeast: true });
      const few = smallest?.find((rate) => rate.what === what && rate.containers !== containers);
      if (!few) continue;
      const share = few.ours.cpuUsPerRequest / ours.cpuUsPerRequest;
      found.push({ what: `${of}: of the same with 5`, seen: share, target: 1, atLeast: true });
    }
    const { containers } = rates[0] ?? { containers: 0 };
    found.push({ what: `${containers} containers: engine calls`, seen: engineCalls, target: 0, atLeast: false });
    // Who the server is was asked once at its start, for the log.
    const { GetCallerIdentity: _, ...forCredentials } = stsCalls;
    const sts = Object.values(forCredentials).reduce((sum, count) => sum + count, 0);
    found.push({ what: `${containers} containers: STS calls for credentials`, seen: sts, target: 1, atLeast: false });
  }
  const over = starts.offlineMs - starts.bareMs;
  found.push({ what: "start over bare, ms", seen: over, target: START_OVER_BARE_MS_MAX, atLeast: false });
  const [after, last] = memory.slice(-2);
  if (after && last) {
    const growth = last.ours.dirtyMb / after.ours.dirtyMb;
    found.push({
      what: `private dirty ${last.when}, MB`,
      seen: last.ours.dirtyMb,
      target: PRIVATE_MB_MAX,
      atLeast: false,
    });
    found.push({
      what: "private dirty, growth since a tenth of them",
      seen: growth,
      target: GROWTH_MAX,
      atLeast: false,
    });
  }
  const { wakeUpsPerSecond } = idle.ours;
  const cpuOfBare = idle.ours.cpuMsPerSecond / idle.bare.cpuMsPerSecond;
  found.push({ what: "idle: wake-ups a second", seen: wakeUpsPerSecond, target: IDLE_WAKE_UPS_MAX, atLeast: false });
  found.push({ what: "idle: CPU, of bare", seen: cpuOfBare, target: IDLE_CPU_OF_BARE_MAX, atLeast: false });
  return found;
}
