import { join } from "node:path";
import type { Binaries } from "./binaries.ts";
import { type Helper, startHelper } from "./helper.ts";
import { type LoadResult, load } from "./load.ts";
import { median } from "./median.ts";
import { oursEnv } from "./ours.ts";
import { cpuUs, freePort, type Server, startServer } from "./process.ts";
import { firstAnswer } from "./start.ts";

export interface Plan {
  readonly rounds: number;
  readonly roundMs: number;
}

const WHATS = [
  "container",
  "task",
  "stats",
  "v4 container",
  "v4 task",
  "v4 stats",
  "v4 task stats of ten",
  "creds",
] as const;

interface Figures extends LoadResult {
  readonly cpuUsPerRequest: number;
}

export interface Rate {
  readonly what: (typeof WHATS)[number];
  readonly containers: number;
  readonly bodyBytes: number;
  readonly ours: Figures;
  readonly bare: Figures;
  /** How much of the bare server's work per CPU second ours does: the median of the rounds. */
  readonly efficiency: number;
}

export interface Rates {
  readonly rates: readonly Rate[];
  /** What ours asked of the engine while it was under load, pings left out. */
  readonly engineCalls: number;
  readonly stsCalls: Helper["calls"] extends () => Promise<infer Calls> ? Calls : never;
}

const CONNECTIONS = 8;
const SAMPLES_MS = 2_500;

/** Ours against the bare server, path by path, with an engine that has so many containers. */
export async function measureRates(binaries: Binaries, folder: string, containers: number, plan: Plan): Promise<Rates> {
  const [engine, sts] = await Promise.all([startHelper("engine.ts", String(containers)), startHelper("sts.ts")]);
  const port = freePort();
  const ours = startServer([binaries.ours], port, oursEnv(port, folder, engine.address, sts.address));
  const container = `/v3/containers/shop-service${containers - 1}-1`;
  const v4 = container.replace("v3", "v4");
  const paths: Readonly<Record<Rate["what"], string>> = {
    container,
    task: `${container}/task`,
    stats: `${container}/stats`,
    "v4 container": v4,
    "v4 task": `${v4}/task`,
    "v4 stats": `${v4}/stats`,
    "v4 task stats of ten": "/v4/containers/ten-service0-1/task/stats",
    creds: "/creds",
  };
  try {
    await firstAnswer(port, container);
    for (const path of Object.values(paths)) await firstAnswer(port, path);
    // V4 does not wait for the engine's first samples.
    await Bun.sleep(SAMPLES_MS);
    const before = (await engine.calls()).others ?? 0;
    const rates: Rate[] = [];
    for (const what of WHATS) {
      rates.push({ what, containers, ...(await comparePath(binaries.bare, folder, ours, paths[what], plan)) });
    }
    return { rates, engineCalls: ((await engine.calls()).others ?? 0) - before, stsCalls: await sts.calls() };
  } finally {
    await Promise.all([ours.stop(), engine.stop(), sts.stop()]);
  }
}

async function comparePath(bareBinary: string, folder: string, ours: Server, path: string, plan: Plan) {
  const file = join(folder, "body");
  const body = await fetch(`http://127.0.0.1:${ours.port}${path}`).then((response) => response.arrayBuffer());
  await Bun.write(file, body);
  const port = freePort();
  const bare = startServer([bareBinary, String(port), file], port, {});
  try {
    await firstAnswer(port, path);
    // The first round of each warms it up and counts for nothing.
    await round(ours, path, plan.roundMs);
    await round(bare, path, plan.roundMs);
    const pairs: { ours: Figures; bare: Figures }[] = [];
    for (let index = 0; index < plan.rounds; index += 1) {
      pairs.push({ ours: await round(ours, path, plan.roundMs), bare: await round(bare, path, plan.roundMs) });
    }
    return {
      bodyBytes: body.byteLength,
      ours: medianFigures(pairs.map((pair) => pair.ours)),
      bare: medianFigures(pairs.map((pair) => pair.bare)),
      efficiency: median(pairs.map((pair) => pair.bare.cpuUsPerRequest / pair.ours.cpuUsPerRequest)),
    };
  } finally {
    await bare.stop();
  }
}

async function round(server: Server, path: string, durationMs: number): Promise<Figures> {
  const before = cpuUs(server.pid);
  const result = await load(server.port, { path, connections: CONNECTIONS, durationMs, requestsMax: 1_000_000 });
  return { ...result, cpuUsPerRequest: (cpuUs(server.pid) - before) / result.requests };
}

function medianFigures(figures: readonly Figures[]): Figures {
  const of = (pick: (one: Figures) => number) => median(figures.map(pick));
  return {
    requests: of((one) => one.requests),
    seconds: of((one) => one.seconds),
    p50Ms: of((one) => one.p50Ms),
    p99Ms: of((one) => one.p99Ms),
    cpuUsPerRequest: of((one) => one.cpuUsPerRequest),
  };
}
