import { AppError } from "../errors.ts";
import { createClaims } from "./claims.ts";
import { untold } from "./client.ts";
import type { Container } from "./container.ts";
import type { Picture } from "./container-store.ts";
import { isMadeOf } from "./podman.ts";
import type { Session } from "./sync.ts";

/** No engine ends a container, gives its address to another and runs a program in that in less. */
const FRESH_MS = 20;
const LOOK_EVERY_MS = 40;
/** Podman's list takes 600 ms while containers start, and keeps them from starting: its events are asked for first. */
const LIST_AFTER_MS = 300;
const CREATED_ASKED_MAX = 16;

/** What a look-up needs of the contact with the engine. */
export interface Contact {
  readonly isLive: () => boolean;
  readonly isSilent: () => boolean;
  readonly session: () => Session | undefined;
  /** Resolves at the next change of the picture or the contact, or after the time. */
  readonly untilChange: (leftMs: number) => Promise<void>;
  /** Resolves when the picture may be answered from; rejects with `engine-unavailable` at the deadline. */
  readonly untilAnswerable: (deadlineMs: number) => Promise<void>;
  readonly unavailable: () => AppError;
}

export interface AddressLookup {
  /** The container that has the address now, without waiting; undefined where that is not certain. */
  readonly atAddress: (address: string) => Container | undefined;
  /**
   * The same, waiting until `deadlineMs` for a container that is so new that the engine does not list it yet.
   * Undefined when the address is no container's; rejects with `engine-unavailable` when that cannot be told.
   */
  readonly waitForAddress: (address: string, deadlineMs: number) => Promise<Container | undefined>;
}

/**
 * Finds containers by address. Addresses are given again as soon as they are free: nobody is answered while another
 * container may have got the address.
 *
 * @param deps.now milliseconds of the clock of `performance`
 * @param deps.isOwn whether a container is the one that we run in: where networks overlap, only its networks count
 */
export function createAddressLookup(deps: {
  readonly picture: Picture;
  readonly contact: Contact;
  readonly now: () => number;
  /** How long a request waits in all. */
  readonly waitMs: number;
  readonly isOwn: (container: Container) => boolean;
  /** The hardware address that the kernel of ours sends to for an IP address, where it tells. */
  readonly macAddressOf: (address: string) => string | undefined;
  /** Whether events may have come that were not read yet, see `createStall`. */
  readonly isDoubtful: () => boolean;
}): AddressLookup {
  const { picture, contact, now } = deps;
  const claims = createClaims(picture, deps.isOwn);

  /** Whether, where networks overlap, one that is not known yet may have an address beside its claimant. */
  function isDisputed(address: string, { inspections }: Session): boolean {
    return claims.isShared(address) && (inspections.starting() > 0 || inspections.failure() !== undefined);
  }

  /** Whether a claimant is believed without a question: its end or another's start may be news that is still to come. */
  function isCertain(found: Container, address: string, session: Session, askedAtMs: number): boolean {
    const { engine, inspections } = session;
    const isStill = !engine.hasLateEvents && inspections.starting() === 0 && !contact.isSilent() && !deps.isDoubtful();
    const isFresh = inspections.inspectedAtMs(found.id) >= askedAtMs - FRESH_MS;
    if ((isStill || isFresh) && !isDisputed(address, session)) return true;
    const mac = found.attachments.find(({ ipv4 }) => ipv4 === address)?.macAddress;
    return mac !== undefined && !isMadeOf(mac, address) && deps.macAddressOf(address) === mac;
  }

  function atAddress(address: string): Container | undefined {
    const session = contact.session();
    if (!contact.isLive() || session === undefined) return undefined;
    const found = claims.of(address);
    return found && found !== "several" && isCertain(found, address, session, now()) ? found : undefined;
  }

  async function waitForAddress(address: string, deadlineMs: number): Promise<Container | undefined> {
    const askedAtMs = now();
    let listed = false;
    for (;;) {
      await contact.untilAnswerable(deadlineMs);
      const session = contact.session();
      if (session === undefined) throw contact.unavailable();
      const claim = claims.of(address);
      const found = claim === "several" ? undefined : claim;
      if (found && isCertain(found, address, session, askedAtMs)) return found;
      // The address may have been given to another container meanwhile.
      if (contact.isSilent()) throw contact.unavailable();
      const failure = session.inspections.failure();
      // It may be untold for long, and clients wait for a second.
      if (found && failure && isDisputed(address, session)) throw untold(failure);
      if (found && !isDisputed(address, session)) {
        await inTime(session.inspections.inspect(found.id), deadlineMs);
        const still = claims.of(address);
        const isSame = still && still !== "several" && still.id === found.id;
        if (isSame && contact.isLive() && isCertain(still, address, session, askedAtMs)) return still;
      }
      const leftMs = deadlineMs - now();
      if (leftMs <= 0) {
        if (failure) throw untold(failure);
        if (claim === "several" || (listed && claim === undefined)) return undefined;
        const { target } = session.engine;
        throw new AppError("engine-unavailable", `The engine at ${target} is slow to list its containers`, {
          hint: "retry, and see whether the engine is healthy",
        });
      }
      if (session.engine.hasLateEvents) fetchNews(session);
      if (claim === undefined && !picture.isInSubnet(address)) {
        const change = contact.untilChange(leftMs).then(() => "changed" as const);
        const readAtMs = await Promise.race([session.rereadNetworks(), change]);
        if (readAtMs === "changed") continue;
        // Where networks have no events, one that was made since the reading began is in none of its answers.
        const isOld = session.engine.hasLateEvents && (readAtMs ?? 0) < askedAtMs - FRESH_MS;
        if (readAtMs === undefined || isOld) await contact.untilChange(Math.min(leftMs, LOOK_EVERY_MS));
        else if (contact.isLive() && !picture.isInSubnet(address)) return undefined;
      } else listed = (await nextNews(address, session, deadlineMs)) || listed;
    }
  }

  /** Asks a late engine for what its stream will bring. Its answer for a container comes the moment that it has started. */
  function fetchNews(session: Session): void {
    const created = [...picture.containers.values()].filter(isCreated);
    const newest = created.toSorted((a, b) => ((a.createdAt ?? "") < (b.createdAt ?? "") ? 1 : -1));
    for (const { id } of newest.slice(0, CREATED_ASKED_MAX)) void session.inspections.inspect(id, true);
    session.events.catchUp().catch(() => undefined);
  }

  /** Waits for what may bring the container of an address. True when the engine listed its containers meanwhile. */
  async function nextNews(address: string, session: Session, deadlineMs: number): Promise<boolean> {
    const leftMs = deadlineMs - now();
    const isTooSoon = session.engine.hasLateEvents && leftMs > deps.waitMs - LIST_AFTER_MS;
    if (isTooSoon || isDisputed(address, session) || session.inspections.pending() > 0) {
      await contact.untilChange(isTooSoon ? Math.min(leftMs, LOOK_EVERY_MS) : leftMs);
      return false;
    }
    const listed = await inTime(session.relist(), deadlineMs);
    const found = claims.of(address);
    if (found === undefined || found === "several") await contact.untilChange(Math.min(leftMs, LOOK_EVERY_MS));
    return listed;
  }

  /** Whether work came to its end, or to true, before the deadline. It goes on; a failure is what makes it false. */
  async function inTime(work: Promise<unknown>, deadlineMs: number): Promise<boolean> {
    const done = work.then(
      (result) => result !== false,
      () => false,
    );
    return Promise.race([done, Bun.sleep(Math.max(0, deadlineMs - now())).then(() => false)]);
  }

  return { atAddress, waitForAddress };
}

function isCreated(container: Container): boolean {
  return !container.running && !container.dead && container.startedAt === undefined;
}
