import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Engine } from "./client.ts";
import type { MutableStore } from "./container-store.ts";
import { createSync, EVENTS_FILTER, type Sync } from "./sync.ts";

const CONNECT_TIMEOUT_MS = 2_000;
const PING_EVERY_MS = 2_000;
const PING_IDLE_EVERY_MS = 5_000;
const PING_TIMEOUT_MS = 1_000;
const PING_SILENT_EVERY_MS = 500;
const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 500;

export interface Watcher {
  /** Whether no requests come, so that a silent engine may be noticed later. */
  readonly isIdle: () => boolean;
  /** The store changed. */
  readonly changed: () => void;
  /** The store is the engine's, and stays so by its events. */
  readonly live: (sync: Sync) => void;
  /** The engine does not answer, but its stream stands: it was not restarted. */
  readonly silent: (cause: AppError) => void;
  /** There is no contact: containers may have come and gone. */
  readonly lost: (cause: AppError) => void;
}

export interface EngineWatch {
  readonly close: () => void;
}

/** Keeps contact with the engine, for ever: events first, then the list, so that no change falls between. */
export function watchEngine(
  connect: () => Promise<Engine>,
  store: MutableStore,
  log: Log,
  watcher: Watcher,
): EngineWatch {
  let closed = false;
  let current: AbortController | undefined;

  async function run(): Promise<void> {
    let backoffMs = BACKOFF_MIN_MS;
    let lastLogged = "";
    const onLive = () => {
      backoffMs = BACKOFF_MIN_MS;
      lastLogged = "";
    };
    while (!closed) {
      const abort = new AbortController();
      current = abort;
      try {
        await runSync(await connect(), abort, onLive);
        continue;
      } catch (error) {
        if (closed) return;
        const cause = toAppError(error);
        watcher.lost(cause);
        // A dead engine is tried twice a second: the log gets one line for each new reason.
        if (cause.publicMessage !== lastLogged) {
          log.warning("no contact with the engine", { cause: cause.publicMessage, hint: cause.hint });
        }
        lastLogged = cause.publicMessage;
      } finally {
        abort.abort();
      }
      await Bun.sleep(backoffMs);
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
    }
  }

  /** Rejects when the contact breaks off; resolves when an engine that was silent answers again, to be read anew. */
  async function runSync(engine: Engine, abort: AbortController, onLive: () => void): Promise<void> {
    const sync = createSync(engine, store, log, watcher.changed);
    const late = unavailable(`The engine at ${engine.target} does not answer`);
    const deadline = setTimeout(() => abort.abort(late), CONNECT_TIMEOUT_MS);
    try {
      const lines = await engine.lines(`/events?filters=${EVENTS_FILTER}`, abort.signal);
      clearTimeout(deadline);
      const following = follow(sync, lines, abort);
      const reading = sync.read();
      // The loser of the race below may reject later, unhandled.
      for (const promise of [following, reading]) promise.catch(() => undefined);
      await Promise.race([following, reading]);
      if (abort.signal.aborted) throw abort.signal.reason;
      watcher.live(sync);
      onLive();
      const { target, apiVersion: version } = engine;
      log.info("watching the engine", { target, version, containers: store.containers.size });
      if (!store.addressesAreLocal()) {
        const hint = "run this program in a container on one of them, or name the container in the path";
        log.info("addresses do not identify containers of this engine: its networks are not on this machine", {
          target,
          hint,
        });
      }
      const answering = untilAnswersAgain(sync, abort.signal);
      answering.catch(() => undefined);
      await Promise.race([following, answering]);
    } finally {
      clearTimeout(deadline);
      sync.close();
      abort.abort();
    }
  }

  async function follow(sync: Sync, lines: AsyncIterable<string>, abort: AbortController): Promise<never> {
    for await (const line of lines) {
      sync.events.take(line).catch((error: unknown) => abort.abort(error));
    }
    throw unavailable(`The engine at ${sync.engine.target} ended its stream of events`);
  }

  /** A silent stream looks idle, so the engine is pinged. Resolves at the first answer after a silence. */
  async function untilAnswersAgain(sync: Sync, signal: AbortSignal): Promise<void> {
    const { engine } = sync;
    let silent = false;
    for (;;) {
      const everyMs = watcher.isIdle() && !engine.needsCatchUp ? PING_IDLE_EVERY_MS : PING_EVERY_MS;
      await Bun.sleep(silent ? PING_SILENT_EVERY_MS : everyMs);
      if (signal.aborted) throw signal.reason;
      try {
        await sync.ping(PING_TIMEOUT_MS);
        if (silent) return;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        const cause = toAppError(error);
        if (!silent) {
          log.warning("the engine is silent", { target: engine.target, cause: cause.publicMessage });
        }
        silent = true;
        watcher.silent(cause);
      }
    }
  }

  void run();
  return {
    close() {
      closed = true;
      current?.abort();
    },
  };
}

function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return unavailable("The contact with the engine broke off", error);
}

function unavailable(text: string, cause?: unknown): AppError {
  return new AppError("engine-unavailable", text, { hint: "check whether the engine is healthy", cause });
}
