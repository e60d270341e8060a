import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Contact } from "./address-owner.ts";
import { type Callers, createCallers } from "./caller.ts";
import { type Engine, inspectFailed } from "./client.ts";
import type { Container } from "./container.ts";
import { type ContainerStore, createContainerStore } from "./container-store.ts";
import type { Sync } from "./sync.ts";
import type { EngineWatch, Watcher } from "./watcher.ts";

/** JavaScript and Java clients hang up after a second. */
const WAIT_MS = 900;
/** A request waits for a lost engine only for so long after the loss. */
const EXPECTED_BACK_MS = 5_000;
/** While requests come, the engine is pinged every two seconds. The first one after a pause waits for a ping. */
const PINGED_WITHIN_MS = 3_500;
const IDLE_AFTER_MS = 10_000;

export type ContactState = "connecting" | "connected" | "unavailable";

/** The containers of the engine, and waiting until they are up to date. */
export interface Inventory extends Callers {
  readonly store: ContainerStore;
  /** The present or last engine; undefined before the first contact. */
  readonly engine: () => Engine | undefined;
  readonly contact: () => ContactState;
  /** Whether the store is up to date and complete: no inspect is running or has failed. */
  readonly isCurrent: () => boolean;
  /**
   * Resolves when the store can be used, with the time until which the request may wait: all its waits together take 900 ms
   * at most. Rejects with `engine-unavailable`.
   *
   * @param deadlineMs of a request that has waited already
   */
  readonly ready: (deadlineMs?: number) => Promise<number>;
  /**
   * Waits until what is not in the store does not exist. Rejects with `engine-unavailable` at `deadlineMs`, and at once if
   * a container cannot be inspected.
   */
  readonly confirm: (deadlineMs: number) => Promise<void>;
  readonly start: () => Promise<void>;
  readonly close: () => void;
}

/**
 * Keeps the engine's containers in memory, so that a request costs the engine nothing.
 *
 * @param connect finds the engine and agrees on a version; called again after each loss
 * @param deps.isOwn whether a container is the one that we run in
 */
export function createInventory(deps: {
  readonly connect: () => Promise<Engine>;
  readonly log: Log;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly isOwn: (container: Container) => boolean;
  readonly hasAddress: (address: string) => boolean;
  readonly macAddressOf: (address: string) => string | undefined;
  /** Called whenever the store has become up to date. */
  readonly onLive?: () => void;
}): Inventory {
  const { now } = deps;
  const store = createContainerStore(deps.isOwn);
  const contact: { state: Contact["state"]; sync: Sync | undefined } = { state: "connecting", sync: undefined };
  let error: AppError | undefined;
  let lostAtMs = Number.NEGATIVE_INFINITY;
  let watch: EngineWatch | undefined;
  let closed = false;
  let askedAtMs = now();
  let change = Promise.withResolvers<void>();

  function changed(): void {
    change.resolve();
    change = Promise.withResolvers();
  }

  const wasPinged = (): boolean =>
    contact.sync !== undefined && now() - contact.sync.engine.answered.askedAtMs <= PINGED_WITHIN_MS;

  const watcher: Watcher = {
    isIdle: () => now() - askedAtMs > IDLE_AFTER_MS,
    changed,
    live(next) {
      contact.sync = next;
      contact.state = "live";
      error = undefined;
      changed();
      deps.onLive?.();
    },
    silent(cause) {
      contact.state = "silent";
      error = cause;
      changed();
    },
    lost(cause) {
      if (contact.state === "live" || contact.state === "silent") lostAtMs = now();
      contact.state = "lost";
      error = cause;
      changed();
    },
  };

  const unavailable = (): AppError =>
    error ?? new AppError("engine-unavailable", "The engine has not answered yet", { hint: "retry in some seconds" });

  async function untilChange(leftMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, leftMs));
    });
    await Promise.race([change.promise, timeout]);
    clearTimeout(timer);
  }

  async function untilAnswerable(deadlineMs: number): Promise<void> {
    while (contact.state !== "live" && contact.state !== "silent") {
      const left = deadlineMs - now();
      const isHopeless = contact.state === "lost" && now() - lostAtMs > EXPECTED_BACK_MS;
      if (left <= 0 || isHopeless) throw unavailable();
      await untilChange(left);
    }
  }

  const callers = createCallers({
    store,
    ...{ contact, untilChange, untilAnswerable, unavailable },
    waitMs: WAIT_MS,
    ...{ now, hasAddress: deps.hasAddress, macAddressOf: deps.macAddressOf },
  });

  async function confirm(deadlineMs: number): Promise<void> {
    const { sync } = contact;
    const slow = (): AppError =>
      new AppError("engine-unavailable", `The engine at ${sync?.engine.target} is slow to answer`, {
        hint: "retry, and check whether the engine is healthy",
      });
    const late = Bun.sleep(Math.max(0, deadlineMs - now()));
    const checkInspected = (): void => {
      const failure = sync?.inspector.failure();
      if (failure) throw inspectFailed(failure);
    };
    // The ping below finds a failure of these.
    await Promise.race([sync?.events.catchUp().catch(() => undefined), late]);
    checkInspected();
    const settled = sync?.inspector.settled().then(() => true);
    if (!(await Promise.race([settled, late]))) throw slow();
    checkInspected();
    if (contact.state !== "live") throw unavailable();
    const answered = sync?.ping(WAIT_MS).then(() => true);
    if (!(await Promise.race([answered, late]))) throw slow();
  }

  return {
    store,
    identify(address) {
      askedAtMs = now();
      return callers.identify(address);
    },
    identifyNow(address) {
      askedAtMs = now();
      return callers.identifyNow(address);
    },
    engine: () => contact.sync?.engine,
    contact: () =>
      contact.state === "live" ? "connected" : contact.state === "connecting" ? "connecting" : "unavailable",
    isCurrent: () => contact.state === "live" && contact.sync?.inspector.isIdle() === true && wasPinged(),
    async ready(deadlineMs = now() + WAIT_MS) {
      await untilAnswerable(deadlineMs);
      // The watcher reports an engine that does not answer.
      if (contact.state === "live" && !wasPinged()) {
        const left = Bun.sleep(Math.max(0, deadlineMs - now()));
        await Promise.race([contact.sync?.ping(WAIT_MS).catch(() => undefined), left]);
      }
      return deadlineMs;
    },
    confirm,
    async start() {
      const { watchEngine } = await import("./watcher.ts");
      if (!closed) watch = watchEngine(deps.connect, store, deps.log, watcher);
    },
    close() {
      closed = true;
      watch?.close();
    },
  };
}
