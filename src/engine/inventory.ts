import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import { type AddressLookup, createAddressLookup } from "./caller.ts";
import { type Engine, untold } from "./client.ts";
import type { Container } from "./container.ts";
import { createPicture, type Picture } from "./container-store.ts";
import { createStall } from "./stall.ts";
import type { Session } from "./sync.ts";
import type { EngineWatch, Watcher } from "./watcher.ts";

/** How long a request waits for the picture to catch up: JavaScript and Java clients hang up after a second. */
const WAIT_MS = 900;
/** For how long a lost engine is expected back, so that a request waits for it; later it is refused at once. */
const EXPECTED_BACK_MS = 5_000;

export type Contact = "connecting" | "connected" | "unavailable";

export interface Inventory extends AddressLookup {
  readonly picture: Picture;
  /** The engine of now, or of last: for what only it can answer. Undefined before the first contact. */
  readonly engine: () => Engine | undefined;
  /** How the contact with the engine stands, for a look from outside. */
  readonly contact: () => Contact;
  /** Whether the picture is the engine's and the whole of it: no container is being asked for, and none is untold. */
  readonly isCurrent: () => boolean;
  /**
   * Resolves when the picture may be answered from, with the time until which this request may go on waiting: all its
   * waits together take 900 ms at most. Rejects with `engine-unavailable` then.
   */
  readonly ready: () => Promise<number>;
  /**
   * Waits until the picture can be believed for what it lacks: no container is being asked for, and the engine answers.
   * Rejects with `engine-unavailable` at `deadlineMs`, and at once while the engine does not tell of some container.
   */
  readonly confirm: (deadlineMs: number) => Promise<void>;
  /** Begins to watch. What that needs is loaded only now: a server that is about to listen comes first. */
  readonly start: () => Promise<void>;
  readonly close: () => void;
}

/**
 * Keeps a live picture of the engine's containers: a request costs the engine nothing.
 *
 * @param connect finds the engine and agrees on a version; called again after each loss
 * @param macAddressOf the hardware address that our kernel sends to for an IP address, where it tells
 * @param isOwn whether a container is the one that we run in: where networks overlap, only its networks count
 */
export function createInventory(deps: {
  readonly connect: () => Promise<Engine>;
  readonly log: Log;
  /** Milliseconds of a clock that nobody sets: it is for deadlines. */
  readonly now: () => number;
  readonly isOwn: (container: Container) => boolean;
  readonly macAddressOf: (address: string) => string | undefined;
  /** Is called whenever the picture has become the engine's. */
  readonly onLive?: () => void;
}): Inventory {
  const { now } = deps;
  const picture = createPicture(deps.isOwn);
  let state: "connecting" | "live" | "silent" | "lost" = "connecting";
  let error: AppError | undefined;
  let lostAtMs = Number.NEGATIVE_INFINITY;
  let session: Session | undefined;
  let watch: EngineWatch | undefined;
  let closed = false;
  let change = Promise.withResolvers<void>();

  function changed(): void {
    change.resolve();
    change = Promise.withResolvers();
  }

  const watcher: Watcher = {
    changed,
    live(next) {
      session = next;
      state = "live";
      error = undefined;
      changed();
      deps.onLive?.();
    },
    silent(cause) {
      state = "silent";
      error = cause;
      changed();
    },
    lost(cause) {
      if (state === "live" || state === "silent") lostAtMs = now();
      state = "lost";
      error = cause;
      changed();
    },
  };

  const unavailable = (): AppError =>
    error ?? new AppError("engine-unavailable", "The engine has not answered yet", { hint: "retry in some seconds" });

  /** Resolves at the next change or after the time, whichever is first. */
  async function untilChange(leftMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, leftMs));
    });
    await Promise.race([change.promise, timeout]);
    clearTimeout(timer);
  }

  async function untilAnswerable(deadlineMs: number): Promise<void> {
    while (state !== "live" && state !== "silent") {
      const left = deadlineMs - now();
      const hopeless = state === "lost" && now() - lostAtMs > EXPECTED_BACK_MS;
      if (left <= 0 || hopeless) throw unavailable();
      await untilChange(left);
    }
  }

  const stall = createStall(now, async () => session?.ping(WAIT_MS));
  const addresses = createAddressLookup({
    picture,
    contact: {
      isLive: () => state === "live",
      isSilent: () => state === "silent",
      session: () => session,
      untilChange,
      untilAnswerable,
      unavailable,
    },
    now,
    waitMs: WAIT_MS,
    isOwn: deps.isOwn,
    macAddressOf: deps.macAddressOf,
    isDoubtful: stall.isDoubtful,
  });

  async function confirm(deadlineMs: number): Promise<void> {
    const slow = (): AppError =>
      new AppError("engine-unavailable", `The engine at ${session?.engine.target} is slow to answer`, {
        hint: "retry, and see whether the engine is healthy",
      });
    const late = Bun.sleep(Math.max(0, deadlineMs - now()));
    const checkTold = (): void => {
      const failure = session?.inspections.failure();
      if (failure) throw untold(failure);
    };
    // What failed is found by the ping below.
    await Promise.race([session?.events.catchUp().catch(() => undefined), late]);
    checkTold();
    const settled = session?.inspections.settled().then(() => true);
    if (!(await Promise.race([settled, late]))) throw slow();
    checkTold();
    if (state !== "live") throw unavailable();
    // A question that is under way has a deadline of its own, which may be later than this request's.
    const answered = session?.ping(WAIT_MS).then(() => true);
    if (!(await Promise.race([answered, late]))) throw slow();
  }

  return {
    picture,
    engine: () => session?.engine,
    contact: () => (state === "live" ? "connected" : state === "connecting" ? "connecting" : "unavailable"),
    isCurrent: () =>
      state === "live" && session?.inspections.pending() === 0 && session.inspections.failure() === undefined,
    async ready() {
      const deadlineMs = now() + WAIT_MS;
      await untilAnswerable(deadlineMs);
      return deadlineMs;
    },
    ...addresses,
    confirm,
    async start() {
      const { watchEngine } = await import("./watcher.ts");
      if (!closed) watch = watchEngine(deps.connect, picture, deps.log, watcher);
    },
    close() {
      closed = true;
      stall.close();
      watch?.close();
    },
  };
}
