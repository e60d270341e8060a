import type { Engine } from "../../../src/engine/client.ts";
import type { ContainerStore } from "../../../src/engine/container-store.ts";
import { createStatsStreams } from "../../../src/engine/stats-stream.ts";
import type { Log } from "../../../src/log.ts";

/** What the engine sends first: a frame without an earlier reading. */
export const FIRST = '{"id":"a","name":"/a","precpu_stats":{"cpu_usage":{"total_usage":0}}}';

interface Stream {
  readonly lines: string[];
  state: "open" | "finished" | "broken";
  wake: () => void;
}

/** Lets what was sent come through: every step between an engine and a sample is a turn of the loop at most. */
export const settle = () => Bun.sleep(2);

/** An engine whose streams say what a test sends. */
function createFakeEngine() {
  const paths: string[] = [];
  const refused = new Set<string>();
  const streams = new Map<string, Stream>();
  const aborted: string[] = [];

  async function* follow(id: string, stream: Stream, signal: AbortSignal): AsyncGenerator<string> {
    signal.addEventListener("abort", () => {
      aborted.push(id);
      stream.wake();
    });
    for (;;) {
      while (stream.lines.length > 0) yield stream.lines.shift() ?? "";
      if (stream.state === "broken" || signal.aborted) throw new Error("the stream broke off");
      if (stream.state === "finished") return;
      await new Promise<void>((resolve) => {
        stream.wake = resolve;
      });
    }
  }

  const engine = {
    target: "unix:///fake.sock",
    apiVersion: "1.47",
    async lines(path: string, signal: AbortSignal) {
      paths.push(path);
      const id = path.split("/")[2] ?? "";
      if (refused.has(id)) throw new Error("refused");
      const stream: Stream = { lines: [], state: "open", wake: () => {} };
      streams.set(id, stream);
      return follow(id, stream, signal);
    },
  } satisfies Partial<Engine>;

  function change(id: string, apply: (stream: Stream) => void): void {
    const stream = streams.get(id);
    if (!stream) throw new Error(`no stream follows ${id}`);
    apply(stream);
    stream.wake();
  }

  return {
    engine: engine as Partial<Engine> as Engine,
    /** Every stream that was opened, in order. */
    paths,
    /** The containers whose streams were aborted, in order. */
    aborted,
    refuse: (id: string) => void refused.add(id),
    accept: (id: string) => void refused.delete(id),
    send: (id: string, line: string) => change(id, (stream) => stream.lines.push(line)),
    finish: (id: string) => change(id, (stream) => Object.assign(stream, { state: "finished" })),
    breakOff: (id: string) => change(id, (stream) => Object.assign(stream, { state: "broken" })),
  };
}

/** Streams over a fake engine, with a clock that a test sets. */
export function setup(options: {
  noEngine?: boolean;
  realClock?: boolean;
  streamsMax?: number;
  nameOf?: (id: string) => string;
}) {
  const engine = createFakeEngine();
  const lines: string[] = [];
  const stopped = new Set<string>();
  const world = { nowMs: 1_000_000, startedAt: new Map<string, string>() };
  const write = (event: string) => void lines.push(event);
  const log: Log = { debug: write, info: write, warning: write, error: write, flush: () => {} };
  const get = (id: string) => ({
    ...{ running: !stopped.has(id), name: (options.nameOf ?? String)(id), startedAt: world.startedAt.get(id) },
  });
  const containers = { get } as unknown as ContainerStore["containers"];
  const streams = createStatsStreams({
    engine: () => (options.noEngine ? undefined : engine.engine),
    store: { containers },
    log,
    now: () => (options.realClock ? performance.now() : world.nowMs),
    ...(options.streamsMax === undefined ? {} : { streamsMax: options.streamsMax }),
  });
  return { streams, engine, lines, stopped, world };
}
