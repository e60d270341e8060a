import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Engine } from "./client.ts";
import type { Container } from "./container.ts";
import { createPicture, type Picture } from "./picture.ts";
import type { Session } from "./session.ts";
import { watchEngine } from "./watch.ts";

/** How long a request waits for the picture to catch up: JavaScript and Java clients hang up after a second. */
const WAIT_MS = 900;
const RELIST_EVERY_MS = 40;
/** For how long a lost engine is expected back, so that a request waits for it; later it is refused at once. */
const EXPECTED_BACK_MS = 5_000;

export interface Inventory {
  readonly picture: Picture;
  /** The engine of now, or of last: for what only it can answer. Undefined before the first contact. */
  readonly engine: () => Engine | undefined;
  /** Whether the picture is the engine's and no container is being asked for, which is so nearly always. */
  readonly isCurrent: () => boolean;
  /**
   * Resolves when the picture may be answered from, with the time until which this request may go on waiting: all its
   * waits together take 900 ms at most. Rejects with `engine-unavailable` then.
   */
  readonly ready: () => Promise<number>;
  /** The container that has the address now, without waiting; undefined where that is not certain. */
  readonly atAddress: (address: string) => Container | undefined;
  /**
   * The same, waiting until `deadlineMs` for a container that is so new that the engine does not list it yet.
   * Undefined when the address is no container's; rejects with `engine-unavailable` when that cannot be told.
   */
  readonly waitForAddress: (address: string, deadlineMs: number) => Promise<Container | undefined>;
  /**
   * Waits until the picture can be believed for what it lacks: no container is being asked for, and the engine answers.
   * Rejects with `engine-unavailable` at `deadlineMs`.
   */
  readonly confirm: (deadlineMs: number) => Promise<void>;
  readonly close: () => void;
}

/**
 * Keeps a live picture of the engine's containers: a request costs the engine nothing.
 *
 * @param connect finds the engine and agrees on a version; called again after each loss
 * @param isOwn whether a container is the one that we run in: where networks overlap, only its networks count
 */
export function createInventory(deps: {
  readonly connect: () => Promise<Engine>;
  readonly log: Log;
  /** Milliseconds of a clock that nobody sets: it is for deadlines. */
  readonly now: () => number;
  readonly isOwn: (container: Container) => boolean;
}): Inventory {
  const { now } = deps;
  const picture = createPicture();
  let state: "connecting" | "live" | "silent" | "lost" = "connecting";
  let error: AppError | undefined;
  let lostAtMs = Number.NEGATIVE_INFINITY;
  let session: Session | undefined;
  let change = Promise.withResolvers<void>();

  function changed(): void {
    change.resolve();
    change = Promise.withResolvers();
  }

  const watch = watchEngine(deps.connect, picture, deps.log, {
    changed,
    live(next) {
      session = next;
      state = "live";
      error = undefined;
      changed();
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
  });

  const unavailable = (): AppError => error ?? new AppError("engine-unavailable", "The engine has not answered yet");

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

  function claimant(address: string): Container | "several" | undefined {
    const claimants = picture.claimants(address);
    if (claimants.length <= 1) return claimants[0];
    const own = [...picture.containers.values()].find(deps.isOwn);
    const shared = claimants.filter((claim) => own?.attachments.some((a) => hasEndpoint(claim, a.networkId, address)));
    return shared.length === 1 ? shared[0] : "several";
  }

  function atAddress(address: string): Container | undefined {
    if (state !== "live" || (session && session.inspections.starting() > 0)) return undefined;
    const found = claimant(address);
    return found === "several" ? undefined : found;
  }

  async function waitForAddress(address: string, deadlineMs: number): Promise<Container | undefined> {
    let listed = false;
    for (;;) {
      await untilAnswerable(deadlineMs);
      const found = claimant(address);
      if (state === "silent") {
        // What was starting as the silence began may have been given this address.
        if (found && found !== "several" && session?.inspections.starting() === 0) return found;
        throw unavailable();
      }
      if (found === undefined && !picture.isInSubnet(address)) {
        await Promise.race([session?.rereadNetworks(), untilDeadline(deadlineMs)]);
        if (state === "live" && !picture.isInSubnet(address)) return undefined;
      }
      if (found && found !== "several") {
        if (session?.inspections.starting() === 0) return found;
        // Another container is starting and may have been given this address: ask whether it is still this one's.
        const inspected = session?.inspections.inspect(found.id).then(() => true);
        const confirmed = await Promise.race([inspected, untilDeadline(deadlineMs)]);
        const still = picture.containers.get(found.id);
        if (confirmed && state === "live" && still && claimant(address) === still) return still;
      }
      const left = deadlineMs - now();
      if (left <= 0) {
        if (listed || found === "several") return undefined;
        throw new AppError("engine-unavailable", `The engine did not list its containers within ${WAIT_MS} ms`);
      }
      if (session && session.inspections.pending() > 0) await untilChange(left);
      else {
        listed = (await Promise.race([session?.relist(), untilDeadline(deadlineMs)])) === true;
        const listedNow = claimant(address);
        if (listedNow === undefined || listedNow === "several") await untilChange(Math.min(left, RELIST_EVERY_MS));
      }
    }
  }

  async function untilDeadline(deadlineMs: number): Promise<void> {
    await Bun.sleep(Math.max(0, deadlineMs - now()));
  }

  async function confirm(deadlineMs: number): Promise<void> {
    const slow = `The engine at ${session?.engine.target} is slow to answer`;
    while (session && session.inspections.pending() > 0) {
      const left = deadlineMs - now();
      if (left <= 0) throw new AppError("engine-unavailable", slow);
      await untilChange(left);
    }
    if (state !== "live") throw unavailable();
    // A question that is under way has a deadline of its own, which may be later than this request's.
    const answered = session?.ping(WAIT_MS).then(() => true);
    if (!(await Promise.race([answered, untilDeadline(deadlineMs)]))) throw new AppError("engine-unavailable", slow);
  }

  return {
    picture,
    engine: () => session?.engine,
    isCurrent: () => state === "live" && session?.inspections.pending() === 0,
    async ready() {
      const deadlineMs = now() + WAIT_MS;
      await untilAnswerable(deadlineMs);
      return deadlineMs;
    },
    atAddress,
    waitForAddress,
    confirm,
    close: () => watch.close(),
  };
}

function hasEndpoint(container: Container, networkId: string, address: string): boolean {
  return container.attachments.some((a) => a.networkId === networkId && (a.ipv4 === address || a.ipv6 === address));
}
