import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Engine } from "./client.ts";
import type { MutableStore } from "./container-store.ts";
import { createInspector, type Inspector } from "./inspector.ts";
import { createNetworkReadings, type NetworkReadings } from "./podman.ts";
import { decodeText, type EngineEvent, EventSchema, InfoSchema, isRootless, ListSchema } from "./schema.ts";

/** How long the first answer waits for what the engine says of its machine: Podman takes a quarter of a second. */
const MACHINE_WAIT_MS = 400;
const MACHINE_EVERY_MS = 2_000;

/** Events that take a container's addresses away, in Docker's and in Podman's words. */
const ENDINGS = new Set(["die", "died", "cleanup"]);
const REMOVALS = new Set(["destroy", "remove"]);
/** Events after which a container may have an address that it had not. */
const BEGINNINGS = new Set(["create", "init", "start", "restart"]);
const OTHERS = new Set(["rename", "update", "pause", "unpause", "stop", "health_status"]);

/** One connection to the engine's event stream, from its beginning to its end. */
export interface Sync {
  readonly engine: Engine;
  readonly inspector: Inspector;
  /** Reads all networks and all containers. Rejects if the engine does not answer. */
  readonly read: () => Promise<void>;
  /** Lists the containers anew, for engines whose events come late. True when the engine answered. */
  readonly relist: () => Promise<boolean>;
  /** Reads the networks anew, for engines that have no events of them (Podman 4): see `NetworkReadings`. */
  readonly rereadNetworks: NetworkReadings["reread"];
  /** Asks whether the engine answers, once however many ask. Rejects with `engine-unavailable` after `timeoutMs`. */
  readonly ping: (timeoutMs: number) => Promise<void>;
  /** Puts into the store what events say. Rejects where the engine must be asked and does not answer. */
  readonly events: Events;
  /** What the engine still answers changes the store no more: another sync has it. */
  readonly close: () => void;
}

/** @param changed is called when the store changed */
export function createSync(engine: Engine, store: MutableStore, log: Log, changed: () => void): Sync {
  const inspector = createInspector(engine, store, log, changed);
  const networks = createNetworkReadings(engine, (read) => {
    if (closed) return;
    store.setNetworks(read);
    changed();
  });
  let closed = false;
  let listing: Promise<boolean> | undefined;
  let pinging: Promise<void> | undefined;
  let machineAskedAtMs = performance.now();
  let saidNoMachine = false;

  async function readMachine(): Promise<void> {
    const { addressesAreLocal, isCertain } = engine.place;
    machineAskedAtMs = performance.now();
    try {
      const info = decodeText(InfoSchema, await engine.get("/info"), "its machine");
      if (closed) return;
      const { NCPU, MemTotal } = info;
      store.setMachine(NCPU && MemTotal ? { cpus: NCPU, memoryBytes: MemTotal } : undefined);
      store.setAddressesAreLocal(!isRootless(info) && (addressesAreLocal || !isCertain));
    } catch (error) {
      if (closed) return;
      // The machine's size is optional: containers work without it. A proxy may refuse the call.
      const isRefused = error instanceof AppError && error.code === "engine-refused";
      if (isRefused && !isCertain && addressesAreLocal) store.setAddressesAreLocal(true);
      const cause = error instanceof AppError ? error.publicMessage : "its answer could not be used";
      const hint = "set TASK_CPU and TASK_MEMORY, which V4 gives a task in place of the machine's";
      if (!saidNoMachine) log.info("the engine does not say what its machine has", { cause, hint });
      saidNoMachine = true;
    }
    changed();
  }

  /** @param all inspects every container, not only those that are new to us */
  async function list(all: boolean): Promise<void> {
    const listed = decodeText(ListSchema, await engine.get("/containers/json?all=1"), "the list of containers");
    const ids = new Set(listed.map(({ Id }) => Id));
    const isNew = ({ Id, State }: (typeof listed)[number]) =>
      store.containers.get(Id)?.running !== ["running", "paused", "restarting"].includes(State ?? "");
    const asked = new Set(listed.filter((entry) => all || isNew(entry)).map(({ Id }) => Id));
    for (const id of store.containers.keys()) if (all || !ids.has(id)) asked.add(id);
    await Promise.all([...asked].map((id) => inspector.inspect(id, true)));
  }

  function relist(): Promise<boolean> {
    listing ??= list(false)
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        listing = undefined;
      });
    return listing;
  }

  function ping(timeoutMs: number): Promise<void> {
    // An engine without events of networks does not say that one is gone, whose gateway may be anybody's now.
    if (engine.needsCatchUp) void networks.reread();
    if (store.machine() === undefined && performance.now() - machineAskedAtMs > MACHINE_EVERY_MS) void readMachine();
    pinging ??= engine
      .ping(timeoutMs)
      // Events that were sent before the answer are read first.
      .then(() => new Promise<void>((resolve) => setImmediate(resolve)))
      .finally(() => {
        pinging = undefined;
      });
    return pinging;
  }

  async function apply(event: EngineEvent): Promise<void> {
    const action = event.Action.split(":")[0] ?? "";
    if (event.Type === "container" && REMOVALS.has(action)) inspector.remove(event.Actor.ID);
    else if (event.Type === "container") {
      const ends = ENDINGS.has(action);
      const begins = BEGINNINGS.has(action);
      if (ends) inspector.end(event.Actor.ID);
      if (ends || begins || OTHERS.has(action)) void inspector.inspect(event.Actor.ID, begins);
    } else if (action === "connect" || action === "disconnect") {
      // In Podman's event the actor is the container; in Docker's it is the network, and the container an attribute.
      const id = event.Actor.Attributes?.container ?? event.Actor.ID;
      if (action === "disconnect") inspector.withdraw(id);
      void inspector.inspect(id, action === "connect");
    } else await networks.read();
  }

  const read = async (): Promise<void> => {
    const machine = readMachine();
    await Promise.all([networks.read(), list(true)]);
    // Without its answer it is not known whether the addresses are local.
    if (!engine.place.isCertain && !store.addressesAreLocal()) await machine;
    else if (store.machine() === undefined) await Promise.race([machine, Bun.sleep(MACHINE_WAIT_MS)]);
  };
  // Until an engine that may be rootless has answered, no address counts.
  store.begin(engine.target, engine.place.addressesAreLocal && engine.place.isCertain);
  return {
    engine,
    inspector,
    read,
    relist,
    rereadNetworks: networks.reread,
    ping,
    events: createEvents(engine, apply),
    close() {
      closed = true;
      inspector.close();
    },
  };
}

/** Events are written a little out of order, and their times are cut to whole seconds in the question. */
const OVERLAP_S = 2;
/** Before the first event only our clock says since when: the engine's own may differ. */
const FIRST_OVERLAP_S = 60;
const REMEMBERED_MAX = 4_096;
/** Podman reads its whole log of events for a question: up to 1 MB, some 30 ms. */
const CATCH_UP_EVERY_MS = 100;

/** What of an engine's events changes the store. */
export const EVENTS_FILTER = encodeURIComponent(JSON.stringify({ type: ["container", "network"] }));

export interface Events {
  /** Applies a line of the stream, unless it was applied before. Rejects as `apply` does. */
  readonly take: (line: string) => Promise<void>;
  /** Fetches and applies what a late stream has not brought yet, at most ten times a second; nothing if it is in time. */
  readonly catchUp: () => Promise<void>;
}

/** @param apply puts an event into the store; it is called once for each, whichever way it comes first */
export function createEvents(engine: Engine, apply: (event: EngineEvent) => Promise<void>): Events {
  const applied = new Set<string>();
  let newestS: number | undefined;
  let asked: { readonly atMs: number; readonly promise: Promise<void> } | undefined;

  function take(line: string): Promise<void> {
    const event = decodeText(EventSchema, line, "an event");
    newestS = Math.max(newestS ?? 0, event.time ?? 0) || undefined;
    if (engine.needsCatchUp && event.timeNano) {
      const key = `${event.timeNano} ${event.Action} ${event.Actor.ID} ${event.Actor.Attributes?.name}`;
      if (applied.has(key)) return Promise.resolve();
      applied.add(key);
      if (applied.size > REMEMBERED_MAX) for (const oldest of applied.values().take(1)) applied.delete(oldest);
    }
    return apply(event);
  }

  async function fetchEvents(): Promise<void> {
    const since = newestS === undefined ? Math.floor(Date.now() / 1000) - FIRST_OVERLAP_S : newestS - OVERLAP_S;
    const lines = await engine.get(`/events?stream=false&since=${since}&filters=${EVENTS_FILTER}`);
    await Promise.all(lines.split("\n").filter(Boolean).map(take));
  }

  function catchUp(): Promise<void> {
    if (!engine.needsCatchUp) return Promise.resolve();
    if (asked === undefined || performance.now() - asked.atMs > CATCH_UP_EVERY_MS) {
      asked = { atMs: performance.now(), promise: fetchEvents() };
    }
    return asked.promise;
  }

  return { take, catchUp };
}
