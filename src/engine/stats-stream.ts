import type { Log } from "../log.ts";
import type { Engine } from "./client.ts";
import type { ContainerStore } from "./container-store.ts";
import { createSampler, type Frame, type Sample } from "./stats-sample.ts";

/** Bun has 256 slots for all fetches of a process; the 257th hangs. Streams keep to half of them. */
const STREAMS_MAX = 128;
const LEASE_MS = 60_000;
/** A stream that was asked for this recently is in use, and never gives way to another. */
const IN_USE_MS = 30_000;
/** Docker sends a frame each second, Podman each fifth: a stream without is one whose other end is gone. */
const STALLED_MS = 15_000;
/** Docker goes on sending frames of zeros for a container that has stopped. */
const NEVER = "0001-01-01";

export interface StatsStreams {
  /** The latest sample, if one is at hand. Opens the container's stream, or keeps it open. */
  readonly latest: (id: string) => Sample | undefined;
  /** The latest sample, waiting up to `waitMs` for one that is complete; then what is there. */
  readonly wait: (id: string, waitMs: number) => Promise<Sample | undefined>;
  readonly close: () => void;
}

interface Stream {
  readonly abort: AbortController;
  readonly startedAt: string | undefined;
  heardAtMs: number;
  askedAtMs: number;
  sample: Sample | undefined;
  next: PromiseWithResolvers<void>;
}

/**
 * One stream of the engine's statistics per container that is asked for, closed 60 s after the last question.
 * A sample is the engine's own text: its counters are unsigned 64-bit, which numbers of JavaScript are not.
 */
export function createStatsStreams(deps: {
  readonly engine: () => Engine | undefined;
  readonly store: Pick<ContainerStore, "containers">;
  readonly log: Log;
  readonly now: () => number;
  readonly streamsMax?: number | undefined;
}): StatsStreams {
  const { now } = deps;
  const streamsMax = deps.streamsMax ?? STREAMS_MAX;
  const streams = new Map<string, Stream>();
  let saidFull = false;

  function end(id: string, stream: Stream): void {
    if (streams.get(id) === stream) streams.delete(id);
    stream.abort.abort();
    stream.next.resolve();
  }

  async function follow(engine: Engine, id: string, stream: Stream): Promise<void> {
    const sampleOf = createSampler(() => ({ id, name: deps.store.containers.get(id)?.name ?? "" }));
    try {
      for await (const line of await engine.lines(`/containers/${id}/stats?stream=true`, stream.abort.signal)) {
        if (!deps.store.containers.get(id)?.running || now() - stream.askedAtMs > LEASE_MS) break;
        const frame = JSON.parse(line) as Frame;
        if (frame?.precpu_stats === undefined || String(frame.read).startsWith(NEVER)) continue;
        stream.heardAtMs = now();
        stream.sample = sampleOf(line, frame);
        stream.next.resolve();
        stream.next = Promise.withResolvers();
      }
    } catch (error) {
      if (!stream.abort.signal.aborted) {
        deps.log.debug("a stream of statistics broke off", { container: id.slice(0, 12), cause: String(error) });
      }
    } finally {
      end(id, stream);
    }
  }

  function hasRoom(): boolean {
    if (streams.size < streamsMax) return true;
    let oldest: [string, Stream] | undefined;
    for (const entry of streams) if (!oldest || entry[1].askedAtMs < oldest[1].askedAtMs) oldest = entry;
    if (!oldest || now() - oldest[1].askedAtMs <= IN_USE_MS) return false;
    end(...oldest);
    return true;
  }

  /** Said once for each time that it is full. */
  function sayFull(): void {
    if (!saidFull)
      deps.log.warning("all streams of statistics are in use, further containers have none", {
        containers: streamsMax,
      });
    saidFull = true;
  }

  function lease(id: string): Stream | undefined {
    const known = streams.get(id);
    if (known) {
      known.askedAtMs = now();
      // A sample of before its restart is none of the container that runs now.
      if (known.startedAt === deps.store.containers.get(id)?.startedAt && now() - known.heardAtMs < STALLED_MS)
        return known;
      end(id, known);
    }
    const engine = deps.engine();
    if (engine === undefined) return undefined;
    if (!hasRoom()) {
      sayFull();
      return undefined;
    }
    saidFull = false;
    const stream: Stream = {
      abort: new AbortController(),
      startedAt: deps.store.containers.get(id)?.startedAt,
      heardAtMs: now(),
      askedAtMs: now(),
      sample: undefined,
      next: Promise.withResolvers(),
    };
    streams.set(id, stream);
    void follow(engine, id, stream);
    return stream;
  }

  // The engine sends a frame a second, or none when it hangs: leases end by the clock, not by frames alone.
  const sweep = setInterval(() => {
    for (const [id, stream] of streams) if (now() - stream.askedAtMs > LEASE_MS) end(id, stream);
  }, LEASE_MS / 4);
  sweep.unref();

  return {
    latest: (id) => lease(id)?.sample,
    async wait(id, waitMs) {
      const deadlineMs = now() + waitMs;
      const stream = lease(id);
      if (stream === undefined) return undefined;
      while (!stream.sample?.complete && !stream.abort.signal.aborted) {
        const left = deadlineMs - now();
        if (left <= 0) break;
        await Promise.race([stream.next.promise, Bun.sleep(left)]);
      }
      return stream.sample;
    },
    close() {
      clearInterval(sweep);
      for (const [id, stream] of streams) end(id, stream);
    },
  };
}
