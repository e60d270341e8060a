import { AppError } from "../errors.ts";
import { inspectFailed } from "./client.ts";
import type { Container } from "./container.ts";
import type { ContainerStore } from "./container-store.ts";
import { canonicalAddress } from "./ip-address.ts";
import { isMadeOf } from "./podman.ts";
import { isLoopback } from "./self.ts";
import type { Sync } from "./sync.ts";

/** No engine ends a container and starts another at its address in less. */
const FRESH_MS = 20;
/** After this time without a word from the engine, it is pinged before a container's address counts. */
const TRUSTED_FOR_MS = 250;
const RETRY_MS = 40;
/** Podman's list takes 600 ms while containers start, and delays them: its events are fetched first. */
const LIST_AFTER_MS = 300;
const CREATED_ASKED_MAX = 16;
const WAITING_MAX = 1_000;

interface Origin {
  /** In canonical form. */
  readonly address: string;
  /** For the log: a container's name and short id, else the address. */
  readonly name: string;
  /** Until when the request may wait, on the clock of `performance`; set once it has waited. */
  readonly deadlineMs?: number;
}

/** The sender of a request. A gateway hides it: callers through a published port share its address. */
export type Caller =
  | (Origin & { readonly kind: "container"; readonly container: Container })
  /** A program on this machine, or in our own container. */
  | (Origin & { readonly kind: "host" })
  | (Origin & { readonly kind: "gateway"; readonly isBridge: boolean; readonly isOwn: boolean })
  | (Origin & {
      readonly kind: "unknown";
      /**
       * No container has the address, several have it, the engine's networks are not on this machine, or too many callers
       * wait for the engine.
       */
      readonly reason: "none" | "several" | "elsewhere" | "crowded";
      /** If the engine could not tell. */
      readonly error?: AppError;
    });

/** The connection to the engine, as far as identifying needs it. */
export interface Contact {
  readonly isLive: () => boolean;
  readonly isSilent: () => boolean;
  readonly sync: () => Sync | undefined;
  /** Resolves at the next change of store or connection, or after the time. */
  readonly untilChange: (leftMs: number) => Promise<void>;
  /** Resolves when the store can be used; rejects with `engine-unavailable` at the deadline. */
  readonly untilAnswerable: (deadlineMs: number) => Promise<void>;
  readonly unavailable: () => AppError;
}

export interface Callers {
  /** Never rejects; waits at most for `waitMs`. */
  readonly identify: (address: string) => Caller | Promise<Caller>;
  /** Without waiting: a container that is not certain is unknown. */
  readonly identifyNow: (address: string) => Caller;
}

/**
 * Identifies callers by address. Addresses are reused as soon as they are free, so a container is identified only while no
 * other one can have got its address.
 *
 * @param deps.hasAddress whether an address is of an interface of this machine
 * @param deps.macAddressOf the MAC address that the kernel sends to for an IP address, if it has one
 */
export function createCallers(deps: {
  readonly store: ContainerStore;
  readonly contact: Contact;
  readonly now: () => number;
  readonly waitMs: number;
  readonly hasAddress: (address: string) => boolean;
  readonly macAddressOf: (address: string) => string | undefined;
}): Callers {
  const { store, contact, now } = deps;
  const known = new WeakMap<Container, Map<string, Caller>>();
  const waiting = new Map<string, Promise<Caller>>();

  /** Whether a container that is not inspected yet may have the address too. */
  function isDisputed(address: string, { inspector }: Sync): boolean {
    const mayBeMissing = inspector.starting() > 0 || inspector.failure() !== undefined;
    return mayBeMissing && store.isInSeveralNetworks(address);
  }

  /** Whether no event still to come can say that the container has ended or another has its address. */
  function isCertain(found: Container, address: string, sync: Sync, askedAtMs: number): boolean {
    const { engine, inspector } = sync;
    const isQuiet =
      inspector.starting() === 0 && !contact.isSilent() && now() - sync.engine.lastReadMs() <= TRUSTED_FOR_MS;
    const isFresh = inspector.inspectedAtMs(found.id) >= askedAtMs - FRESH_MS;
    if (((isQuiet && !engine.needsCatchUp) || isFresh) && !isDisputed(address, sync)) return true;
    if (!engine.needsCatchUp) return false;
    const mac = found.attachments.find(({ ipv4 }) => ipv4 === address)?.macAddress;
    return mac !== undefined && !isMadeOf(mac, address) && deps.macAddressOf(address) === mac;
  }

  function ownerOf(address: string): Container | "several" | undefined {
    const owners = store.ownersOf(address);
    return owners.length > 1 ? "several" : owners[0];
  }

  function containerNow(address: string): Container | undefined {
    const sync = contact.sync();
    if (!contact.isLive() || sync === undefined) return undefined;
    const found = ownerOf(address);
    return found && found !== "several" && isCertain(found, address, sync, now()) ? found : undefined;
  }

  /** The same container and address give the same object, as long as the store has that container. */
  function toCaller(container: Container, address: string): Caller {
    const callers = known.get(container) ?? new Map<string, Caller>();
    known.set(container, callers);
    const name = `${container.name}/${container.id.slice(0, 12)}`;
    const caller = callers.get(address) ?? { kind: "container", address, name, container };
    callers.set(address, caller);
    return caller;
  }

  /** The callers that no engine has to confirm. */
  function otherNow(address: string): Caller | undefined {
    if (isLoopback(address)) return { kind: "host", address, name: address };
    if (ownerOf(address) !== undefined) return undefined;
    const isOwn = deps.hasAddress(address);
    if (store.isGateway(address)) {
      const isBridge = store.isBridgeGateway(address);
      // A container may be known before its network.
      if (isBridge || isOwn || store.isInSubnet(address)) {
        return { kind: "gateway", address, name: address, isBridge, isOwn };
      }
    }
    return isOwn ? { kind: "host", address, name: address } : undefined;
  }

  function unknown(address: string, error?: AppError): Caller {
    const reason = !store.addressesAreLocal() ? "elsewhere" : ownerOf(address) === "several" ? "several" : "none";
    return { kind: "unknown", address, name: address, reason, ...(error && { error }) };
  }

  function atOnce(address: string): Caller | undefined {
    const container = containerNow(address);
    return container ? toCaller(container, address) : otherNow(address);
  }

  async function later(address: string): Promise<Caller> {
    const deadlineMs = now() + deps.waitMs;
    const found = await waitForContainer(address, deadlineMs).then(
      (container) => (container ? toCaller(container, address) : (otherNow(address) ?? unknown(address))),
      (error: unknown) => {
        if (error instanceof AppError) return otherNow(address) ?? unknown(address, error);
        throw error;
      },
    );
    return { ...found, deadlineMs };
  }

  /** Undefined if the address is not a container's; rejects with `engine-unavailable` if that is not certain. */
  async function waitForContainer(address: string, deadlineMs: number): Promise<Container | undefined> {
    const askedAtMs = now();
    let isListed = false;
    for (;;) {
      await contact.untilAnswerable(deadlineMs);
      const sync = contact.sync();
      if (sync === undefined) throw contact.unavailable();
      const { engine, inspector } = sync;
      if (now() - sync.engine.lastReadMs() > TRUSTED_FOR_MS) await inTime(sync.ping(deps.waitMs), deadlineMs);
      const owner = ownerOf(address);
      const found = owner === "several" ? undefined : owner;
      if (found && isCertain(found, address, sync, askedAtMs)) return found;
      if (contact.isSilent()) throw contact.unavailable();
      const failure = inspector.failure();
      // It may fail for long, and clients wait for a second.
      if (found && failure && isDisputed(address, sync)) throw inspectFailed(failure);
      if (found && !isDisputed(address, sync)) {
        await inTime(inspector.inspect(found.id), deadlineMs);
        const still = ownerOf(address);
        const isSame = still && still !== "several" && still.id === found.id;
        if (isSame && contact.isLive() && isCertain(still, address, sync, askedAtMs)) return still;
      }
      if (owner === undefined && otherNow(address) !== undefined) return undefined;
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
        const change = contact.untilChange(leftMs).then(() => "changed" as const);
        const readAtMs = await Promise.race([sync.rereadNetworks(), change]);
        if (readAtMs === "changed") continue;
        // Without events of networks, a new one is in no reading that began before it.
        const isOld = engine.needsCatchUp && (readAtMs ?? 0) < askedAtMs - FRESH_MS;
        if (readAtMs === undefined || isOld) await contact.untilChange(Math.min(leftMs, RETRY_MS));
        else if (contact.isLive() && !store.isInSubnet(address)) return undefined;
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
    if (isTooSoon || isDisputed(address, sync) || sync.inspector.pending() > 0) {
      await contact.untilChange(isTooSoon ? Math.min(leftMs, RETRY_MS) : leftMs);
      return false;
    }
    const isListed = await inTime(sync.relist(), deadlineMs);
    const owner = ownerOf(address);
    if (owner === undefined || owner === "several") await contact.untilChange(Math.min(leftMs, RETRY_MS));
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

  /** One wait for all requests from an address. */
  function shared(address: string): Caller | Promise<Caller> {
    const current = waiting.get(address);
    if (current !== undefined) return current;
    if (waiting.size >= WAITING_MAX) {
      const text = "Too many unknown callers wait for the engine";
      const error = new AppError("engine-unavailable", text, { hint: "retry" });
      return { kind: "unknown", address, name: address, reason: "crowded", error };
    }
    const promise = later(address).finally(() => waiting.delete(address));
    waiting.set(address, promise);
    return promise;
  }

  return {
    identify(peer) {
      const address = canonicalAddress(peer);
      return atOnce(address) ?? shared(address);
    },
    identifyNow(peer) {
      const address = canonicalAddress(peer);
      return atOnce(address) ?? unknown(address);
    },
  };
}

function isCreated(container: Container): boolean {
  return !container.running && !container.dead && container.startedAt === undefined;
}
