import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Engine } from "./client.ts";
import { toContainer } from "./container.ts";
import type { MutableStore } from "./container-store.ts";
import { decodeText, InspectSchema } from "./schema.ts";

const IN_FLIGHT_MAX = 16;
const RETRY_AFTER_MS = 500;

export interface Inspector {
  /**
   * Asks the engine for one container and puts the answer into the store. One call per container is in flight
   * however many callers; a caller during a call gets the next one, because the call may have begun too early.
   *
   * @param starting the container may be about to take an address: see {@link Inspector.starting}
   */
  readonly inspect: (id: string, starting?: boolean) => Promise<void>;
  /** Takes the container's addresses out at once, and what a call in flight says of them with it. */
  readonly withdraw: (id: string) => void;
  /** The same for one that has ended: it is not running, even if the engine gives no details. */
  readonly end: (id: string) => void;
  /** Takes the container out at once, and for good: it was removed. */
  readonly remove: (id: string) => void;
  /** When the question was asked whose answer is in the store, by the clock of `performance`. */
  readonly inspectedAtMs: (id: string) => number;
  /** How many containers may have an address that the store lacks. */
  readonly starting: () => number;
  /** How many containers are being asked for. */
  readonly pending: () => number;
  /** Whether nothing is being asked for, and nothing has failed. */
  readonly isIdle: () => boolean;
  /** Resolves when the engine has answered for every container that is being asked for now. */
  readonly settled: () => Promise<unknown>;
  /** The last inspect error, if any. While one is set, a container missing from the store may still exist. */
  readonly failure: () => AppError | undefined;
  readonly close: () => void;
}

interface Inspection {
  starting: boolean;
  withdrawn: boolean;
  removed: boolean;
  promise: Promise<void>;
  /** For those who asked during this one. */
  next: PromiseWithResolvers<void> | undefined;
}

export function createInspector(engine: Engine, store: MutableStore, log: Log, changed: () => void): Inspector {
  const running = new Map<string, Inspection>();
  const askedAtMs = new Map<string, number>();
  const retries = new Map<string, ReturnType<typeof setTimeout>>();
  const failures = new Map<string, AppError>();
  const ended = new Set<string>();
  const queue: (() => void)[] = [];
  const ending = new AbortController();
  let inFlight = 0;
  let closed = false;

  async function slot(): Promise<void> {
    if (inFlight < IN_FLIGHT_MAX) inFlight += 1;
    else await new Promise<void>((resolve) => queue.push(resolve));
  }

  function release(): void {
    const next = queue.shift();
    if (next) next();
    else inFlight -= 1;
  }

  function forget(id: string): void {
    store.remove(id);
    askedAtMs.delete(id);
    failures.delete(id);
    ended.delete(id);
  }

  async function ask(id: string, inspection: Inspection): Promise<void> {
    await slot();
    const begunAtMs = performance.now();
    try {
      if (closed) return;
      const body = await engine.get(`/containers/${id}/json`, { signal: ending.signal });
      const container = toContainer(decodeText(InspectSchema, body, `container ${id.slice(0, 12)}`));
      if (closed || inspection.removed) return;
      store.put(container);
      askedAtMs.set(id, begunAtMs);
      failures.delete(id);
      // An inspect that began before the end may say that it runs.
      if (inspection.withdrawn) store.withdraw(id);
      else ended.delete(id);
    } catch (error) {
      if (closed || inspection.removed) return;
      if (error instanceof AppError && error.code === "container-unknown") {
        forget(id);
        return;
      }
      // Its network may have changed: its address must not be answered from an older store.
      const known = store.containers.get(id);
      if (known?.running && ended.has(id)) {
        // What it has of its owner's networks is the owner's.
        const own = known.networkOwner === undefined ? known : { ...known, endpoints: [] };
        store.put({ ...own, running: false });
      }
      store.withdraw(id);
      const failure = toFailure(error);
      const write = failures.has(id) ? log.debug : log.warning;
      failures.set(id, failure);
      write("a container could not be inspected, trying again", {
        container: id.slice(0, 12),
        cause: failure.publicMessage,
      });
      retries.set(
        id,
        setTimeout(() => void begin(id, true), RETRY_AFTER_MS),
      );
    } finally {
      release();
    }
  }

  function begin(id: string, starting: boolean): Promise<void> {
    clearTimeout(retries.get(id));
    retries.delete(id);
    if (closed) return Promise.resolve();
    const current = running.get(id);
    if (current) {
      current.starting ||= starting;
      current.next ??= Promise.withResolvers();
      return current.next.promise;
    }
    const inspection: Inspection = {
      starting,
      withdrawn: false,
      removed: false,
      promise: Promise.resolve(),
      next: undefined,
    };
    running.set(id, inspection);
    inspection.promise = ask(id, inspection).finally(() => {
      running.delete(id);
      // The next one is begun before anybody looks, so that it never seems as if nothing were asked for.
      if (inspection.next) void begin(id, inspection.starting).then(inspection.next.resolve);
      changed();
    });
    return inspection.promise;
  }

  function withdraw(id: string): void {
    store.withdraw(id);
    const current = running.get(id);
    if (current) current.withdrawn = true;
  }

  return {
    inspect(id, starting = false) {
      // An engine may have started it again since.
      if (starting) ended.delete(id);
      return begin(id, starting);
    },
    withdraw,
    end(id) {
      withdraw(id);
      ended.add(id);
    },
    remove(id) {
      forget(id);
      clearTimeout(retries.get(id));
      retries.delete(id);
      const current = running.get(id);
      if (current) current.removed = true;
      changed();
    },
    inspectedAtMs: (id) => askedAtMs.get(id) ?? Number.NEGATIVE_INFINITY,
    starting() {
      let count = 0;
      for (const inspection of running.values()) if (inspection.starting) count += 1;
      return count;
    },
    pending: () => running.size,
    isIdle: () => running.size === 0 && failures.size === 0,
    settled: () => Promise.all([...running.values()].map(({ next, promise }) => next?.promise ?? promise)),
    failure: () => failures.values().next().value,
    close() {
      closed = true;
      ending.abort();
      for (const timer of retries.values()) clearTimeout(timer);
    },
  };
}

function toFailure(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError("engine-bad-answer", "The engine's answer for a container could not be used", {
    hint: "check whether the engine is healthy",
    cause: error,
  });
}
