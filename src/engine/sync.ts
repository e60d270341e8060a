import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Engine } from "./client.ts";
import type { MutablePicture } from "./container-store.ts";
import { createEvents, type Events } from "./events.ts";
import { createInspections, type Inspections } from "./inspector.ts";
import { createNetworkReadings, type NetworkReadings } from "./podman.ts";
import { decodeText, type EngineEvent, InfoSchema, isRootless, ListSchema } from "./schema.ts";

/** How long the first picture waits for what the engine says of its machine: Podman takes a quarter of a second. */
const MACHINE_WAIT_MS = 400;
const MACHINE_EVERY_MS = 2_000;

/** Events that take a container's addresses away, in Docker's and in Podman's words. */
const ENDINGS = new Set(["die", "died", "cleanup"]);
const REMOVALS = new Set(["destroy", "remove"]);
/** Events after which a container may have an address that it had not. */
const BEGINNINGS = new Set(["create", "init", "start", "restart"]);
const OTHERS = new Set(["rename", "update", "pause", "unpause", "stop", "health_status"]);

/** One stretch of contact with the engine, from its event stream's beginning to its end. */
export interface Session {
  readonly engine: Engine;
  readonly inspections: Inspections;
  /** Reads all networks and all containers. Rejects where the engine does not answer. */
  readonly read: () => Promise<void>;
  /** Lists the containers anew, for engines whose events come late. True when the engine answered. */
  readonly relist: () => Promise<boolean>;
  /** Reads the networks anew, for engines that have no events of them (Podman 4): see `NetworkReadings`. */
  readonly rereadNetworks: NetworkReadings["reread"];
  /** Asks whether the engine answers, once however many ask. Rejects with `engine-unavailable` after `timeoutMs`. */
  readonly ping: (timeoutMs: number) => Promise<void>;
  /** Puts into the picture what events say. Rejects where the engine must be asked and does not answer. */
  readonly events: Events;
  /** What the engine still answers changes the picture no more: another session has it. */
  readonly close: () => void;
}

/** @param changed is called when the picture changed */
export function createSession(engine: Engine, picture: MutablePicture, log: Log, changed: () => void): Session {
  const inspections = createInspections(engine, picture, log, changed);
  const networks = createNetworkReadings(engine, (read) => {
    if (closed) return;
    picture.setNetworks(read);
    changed();
  });
  let closed = false;
  let listing: Promise<boolean> | undefined;
  let pinging: Promise<void> | undefined;
  let machineAskedAtMs = performance.now();
  let saidNoMachine = false;

  async function readMachine(): Promise<void> {
    const { isElsewhere, isSure } = engine.place;
    machineAskedAtMs = performance.now();
    try {
      const info = decodeText(InfoSchema, await engine.get("/info"), "its machine");
      if (closed) return;
      const { NCPU, MemTotal } = info;
      picture.setMachine(NCPU && MemTotal ? { cpus: NCPU, memoryBytes: MemTotal } : undefined);
      picture.setElsewhere(isRootless(info) || (isSure && isElsewhere));
    } catch (error) {
      if (closed) return;
      // What the machine has is worth telling, and no reason to go without containers. A proxy may refuse to tell it.
      const isRefused = error instanceof AppError && error.code === "engine-refused";
      if (isRefused && !isSure && !isElsewhere) picture.setElsewhere(false);
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
      picture.containers.get(Id)?.running !== ["running", "paused", "restarting"].includes(State ?? "");
    const asked = new Set(listed.filter((entry) => all || isNew(entry)).map(({ Id }) => Id));
    for (const id of picture.containers.keys()) if (all || !ids.has(id)) asked.add(id);
    await Promise.all([...asked].map((id) => inspections.inspect(id, true)));
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
    if (engine.hasLateEvents) void networks.reread();
    if (picture.machine() === undefined && performance.now() - machineAskedAtMs > MACHINE_EVERY_MS) void readMachine();
    pinging ??= engine.ping(timeoutMs).finally(() => {
      pinging = undefined;
    });
    return pinging;
  }

  async function apply(event: EngineEvent): Promise<void> {
    const action = event.Action.split(":")[0] ?? "";
    if (event.Type === "container" && REMOVALS.has(action)) inspections.remove(event.Actor.ID);
    else if (event.Type === "container") {
      const ends = ENDINGS.has(action);
      const begins = BEGINNINGS.has(action);
      if (ends) inspections.end(event.Actor.ID);
      if (ends || begins || OTHERS.has(action)) void inspections.inspect(event.Actor.ID, begins);
    } else if (action === "connect" || action === "disconnect") {
      // In Podman's event the actor is the container; in Docker's it is the network, and the container an attribute.
      const id = event.Actor.Attributes?.container ?? event.Actor.ID;
      if (action === "disconnect") inspections.withdraw(id);
      void inspections.inspect(id, action === "connect");
    } else await networks.read();
  }

  const read = async (): Promise<void> => {
    const machine = readMachine();
    await Promise.all([networks.read(), list(true)]);
    // It is waited for to its end where it tells whose the addresses are.
    if (!engine.place.isSure && picture.isElsewhere()) await machine;
    else if (picture.machine() === undefined) await Promise.race([machine, Bun.sleep(MACHINE_WAIT_MS)]);
  };
  // Until an engine that may be rootless has told, no address counts.
  picture.begin(engine.target, engine.place.isElsewhere || !engine.place.isSure);
  return {
    engine,
    inspections,
    read,
    relist,
    rereadNetworks: networks.reread,
    ping,
    events: createEvents(engine, apply),
    close() {
      closed = true;
      inspections.close();
    },
  };
}
