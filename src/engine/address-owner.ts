import { AppError } from "../errors.ts";
import { inspectFailed } from "./client.ts";
import type { Container } from "./container.ts";
import type { ContainerStore } from "./container-store.ts";
import { isMadeOf } from "./podman.ts";
import type { Sync } from "./sync.ts";

/** No engine ends a container and starts another at its address in less. */
const FRESH_MS = 20;
/** If the last request that the engine answered is older, it is pinged before a container's address counts. */
const TRUSTED_FOR_MS = 250;
const RETRY_MS = 40;
/** Podman's list takes 600 ms while containers start, and delays them: its events are fetched first. */
const LIST_AFTER_MS = 300;
const CREATED_ASKED_MAX = 16;

/** The connection to the engine. Only the inventory changes it. */
export interface Contact {
  readonly state: "connecting" | "live" | "silent" | "lost";
  readonly sync: Sync | undefined;
}

export interface AddressOwners {
  readonly ownerOf: (address: string) => Container | "several" | undefined;
  /** The container with this address, if that is certain. */
  readonly ownerNow: (address: string) => Container | undefined;
  /**
   * Waits until that is certain. Undefined if the address is not a container's; rejects with `engine-unavailable` if the
   * engine cannot tell before the deadline.
   *
   * @param isOther whether the address is known not to be a container's
   */
  readonly wait: (address: string, deadlineMs: number, isOther: () => boolean) => Promise<Container | undefined>;
}

/** What identifying a caller needs of the engine. */
export interface AddressOwnerDeps {
  readonly store: ContainerStore;
  readonly contact: Contact;
  /** Resolves at the next change of store or connection, or after the time. */
  readonly untilChange: (leftMs: number) => Promise<void>;
  /** Resolves when the store can be used; rejects with `engine-unavailable` at the deadline. */
  readonly untilAnswerable: (deadlineMs: number) => Promise<void>;
  readonly unavailable: () => AppError;
  readonly now: () => number;
  /** The most that a request waits. */
  readonly waitMs: number;
  /** The MAC address that the kernel sends to for an IP address, if it has one. */
  readonly macAddressOf: (address: string) => string | undefined;
}

/**
 * Finds the container that has an address. Addresses are reused as soon as they are free, so a container counts only while
 * no other one can have got its address.
 */
export function createAddressOwners(deps: AddressOwnerDeps): AddressOwners {
  const { store, contact, untilChange, untilAnswerable, unavailable, now } = deps;

  /** Whether a container that is not inspected yet may have the address too. */
  function mayHaveSeveralOwners(address: string, { inspector }: Sync): boolean {
    const mayBeMissing = inspector.starting() > 0 || inspector.failure() !== undefined;
    return mayBeMissing && store.isInSeveralNetworks(address);
  }

  /** Whether no event still to come can say that the container has ended or another has its address. */
  function isCertain(found: Container, address: string, sync: Sync, askedAtMs: number): boolean {
    const { engine, inspector } = sync;
    const isTold = contact.state !== "silent" && now() - engine.answered.askedAtMs <= TRUSTED_FOR_MS;
    if (isTold && !engine.needsCatchUp && inspector.starting() === 0 && inspector.failure() === undefined) return true;
    const isQuiet = isTold && !engine.needsCatchUp && inspector.starting() === 0;
    const isFresh = inspector.inspectedAtMs(found.id) >= askedAtMs - FRESH_MS;
    if ((isQuiet || isFresh) && !mayHaveSeveralOwners(address, sync)) return true;
    if (!engine.needsCatchUp) return false;
    const mac = found.endpoints.find(({ ipv4 }) => ipv4 === address)?.macAddress;
    return mac !== undefined && !isMadeOf(mac, address) && deps.macAddressOf(address) === mac;
  }

  function ownerOf(address: string): Container | "several" | undefined {
    const owners = store.ownersOf(address);
    return owners.length > 1 ? "several" : owners[0];
  }

  function ownerNow(address: string): Container | undefined {
    const sync = contact.sync;
    if (contact.state !== "live" || sync === undefined) return undefined;
    const found = ownerOf(address);
    return found && found !== "several" && isCertain(found, address, sync, now()) ? found : undefined;
  }

  async function wait(address: string, deadlineMs: number, isOther: () => boolean): Promise<Container | undefined> {
    const askedAtMs = now();
    let isListed = false;
    for (;;) {
      await untilAnswerable(deadlineMs);
      const sync = contact.sync;
      if (sync === undefined) throw unavailable();
      const { engine, inspector } = sync;
      if (now() - engine.answered.askedAtMs > TRUSTED_FOR_MS) await inTime(sync.ping(deps.waitMs), deadlineMs);
      const owner = ownerOf(address);
      const found = owner === "several" ? undefined : owner;
      if (found && isCertain(found, address, sync, askedAtMs)) return found;
      if (contact.state === "silent") throw unavailable();
      const failure = inspector.failure();
      // It may fail for long, and clients wait for a second.
      if (found && failure && mayHaveSeveralOwners(address, sync)) throw inspectFailed(failure);
      if (found && !mayHaveSeveralOwners(address, sync)) {
        await inTime(inspector.inspect(found.id), deadlineMs);
        const still = ownerOf(address);
        const isSame = still && still !== "several" && still.id === found.id;
        if (isSame && contact.state === "live" && isCertain(still, address, sync, askedAtMs)) return still;
      }
      if (owner === undefined && isOther()) return undefined;
      if (owner === "several" && isListed) return undefined;
      const leftMs = deadlineMs - now();
      if (leftMs <= 0) {
        if (failure) throw inspectFailed(failure);
        if (owner === "several" || isListed) return undefined;
        throw new AppError("engine-unavailable", `The engine at ${engine.target} is slow to list its containers`, {
          hint: "retry, and check whether the engine is healthy",
        });
      }
      if (engine.needsCatchUp) fetchEvents(sync);
      if (owner === undefined && !store.isInSubnet(address)) {
        const change = untilChange(leftMs).then(() => "changed" as const);
        const readAtMs = await Promise.race([sync.rereadNetworks(), change]);
        if (readAtMs === "changed") continue;
        // Without events of networks, a new one is in no reading that began before it.
        const isOld = engine.needsCatchUp && (readAtMs ?? 0) < askedAtMs - FRESH_MS;
        if (readAtMs === undefined || isOld) await untilChange(Math.min(leftMs, RETRY_MS));
        else if (contact.state === "live" && !store.isInSubnet(address)) return undefined;
      } else isListed = (await untilNews(address, sync, deadlineMs)) || isListed;
    }
  }

  /** Asks an engine with late events for what its stream will bring. */
  function fetchEvents({ inspector, events }: Sync): void {
    const created = [...store.containers.values()].filter(isCreated);
    const newest = created.toSorted((a, b) => ((a.createdAt ?? "") < (b.createdAt ?? "") ? 1 : -1));
    for (const { id } of newest.slice(0, CREATED_ASKED_MAX)) void inspector.inspect(id, true);
    events.catchUp().catch(() => undefined);
  }

  /** Waits for what may bring the container of an address. True if the engine has listed its containers. */
  async function untilNews(address: string, sync: Sync, deadlineMs: number): Promise<boolean> {
    const leftMs = deadlineMs - now();
    const isTooSoon = sync.engine.needsCatchUp && leftMs > deps.waitMs - LIST_AFTER_MS;
    if (isTooSoon || mayHaveSeveralOwners(address, sync) || sync.inspector.pending() > 0) {
      await untilChange(isTooSoon ? Math.min(leftMs, RETRY_MS) : leftMs);
      return false;
    }
    const isListed = await inTime(sync.relist(), deadlineMs);
    const owner = ownerOf(address);
    if (owner === undefined || owner === "several") await untilChange(Math.min(leftMs, RETRY_MS));
    return isListed;
  }

  /** Whether the work ended, not with false, before the deadline. */
  async function inTime(work: Promise<unknown>, deadlineMs: number): Promise<boolean> {
    const done = work.then(
      (result) => result !== false,
      () => false,
    );
    return Promise.race([done, Bun.sleep(Math.max(0, deadlineMs - now())).then(() => false)]);
  }

  return { ownerOf, ownerNow, wait };
}

function isCreated(container: Container): boolean {
  return !container.running && !container.dead && container.startedAt === undefined;
}
