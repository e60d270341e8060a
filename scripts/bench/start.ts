import type { Binaries } from "./binaries.ts";
import { startHelper } from "./helper.ts";
import { load } from "./load.ts";
import { median } from "./median.ts";
import { oursEnv } from "./ours.ts";
import { freePort, startServer } from "./process.ts";

const PATIENCE_MS = 15_000;
const OFFLINE = { ECS_LOCAL_OFFLINE: "1" };
const CONTAINER = "/v3/containers/shop-service0-1";

/** Asks on new connections until the answer is 200, as fast as they are refused. Milliseconds since it was called. */
export async function firstAnswer(port: number, path: string): Promise<number> {
  const beganAtMs = performance.now();
  for (;;) {
    try {
      await load(port, { path, connections: 1, durationMs: PATIENCE_MS, requestsMax: 1 });
      return performance.now() - beganAtMs;
    } catch (error) {
      if (performance.now() - beganAtMs > PATIENCE_MS) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

export interface Starts {
  readonly bareMs: number;
  /** Dummy credentials, configured by the environment as in an image: what the target is for. */
  readonly offlineMs: number;
  /** The same by the flag: the parser of the command line is loaded for it. */
  readonly flagMs: number;
  /** The first container body: the engine has been listed and inspected. */
  readonly containerMs: number;
  /** The first credentials from STS: the SDK has been loaded. */
  readonly credentialsMs: number;
}

/** From the start of a process to its first 200, the median of runs in which each kind has its turn. */
export async function measureStarts({ ours, bare }: Binaries, folder: string, runs: number): Promise<Starts> {
  const [engine, sts] = await Promise.all([startHelper("engine.ts", "5"), startHelper("sts.ts")]);
  const none = `unix://${folder}/none.sock`;
  const kinds = {
    bareMs: (port: number) => once([bare, String(port)], port, {}, "/"),
    offlineMs: (port: number) => once([ours], port, { ...oursEnv(port, folder, none), ...OFFLINE }, "/creds"),
    flagMs: (port: number) => once([ours, "--offline"], port, oursEnv(port, folder, none), "/creds"),
    containerMs: (port: number) =>
      once([ours], port, { ...oursEnv(port, folder, engine.address), ...OFFLINE }, CONTAINER),
    credentialsMs: (port: number) => once([ours], port, oursEnv(port, folder, none, sts.address), "/creds"),
  };
  const names = Object.keys(kinds) as (keyof typeof kinds)[];
  const times: Record<keyof Starts, number[]> = {
    bareMs: [],
    offlineMs: [],
    flagMs: [],
    containerMs: [],
    credentialsMs: [],
  };
  try {
    // The first run reads the files from disk and counts for nothing.
    for (let run = 0; run <= runs; run += 1) {
      for (const name of names) {
        const ms = await kinds[name](freePort());
        if (run > 0) times[name].push(ms);
      }
    }
  } finally {
    await Promise.all([engine.stop(), sts.stop()]);
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])])) as unknown as Starts;
}

async function once(command: string[], port: number, env: Record<string, string>, path: string): Promise<number> {
  const beganAtMs = performance.now();
  const server = startServer(command, port, env);
  try {
    await firstAnswer(port, path);
    return performance.now() - beganAtMs;
  } finally {
    await server.stop();
  }
}
