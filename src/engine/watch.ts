import { AppError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Engine } from "./client.ts";
import { canonicalAddress } from "./container.ts";
import { createInspections, type Inspections } from "./inspections.ts";
import type { MutablePicture } from "./picture.ts";
import { decodeText, type EngineEvent, EventSchema, ListSchema, NetworksSchema } from "./schema.ts";

const PING_EVERY_MS = 2_000;
const PING_TIMEOUT_MS = 1_000;
const NETWORKS_EVERY_MS = 250;
const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 500;

/** One stretch of contact with the engine, from its event stream's beginning to its end. */
export interface Session {
  readonly engine: Engine;
  readonly inspections: Inspections;
  /** Lists the containers anew, for engines whose events come late. True when the engine answered. */
  readonly relist: () => Promise<boolean>;
  /** Reads the networks anew, at most four times a second, for engines that have no events of them (Podman 4). */
  readonly rereadNetworks: () => Promise<void>;
}

export interface Watcher {
  /** The picture changed. */
  readonly changed: () => void;
  /** The picture is the engine's, and stays so by its events. */
  readonly live: (session: Session) => void;
  /** The engine does not answer, but its stream stands: it was not restarted. */
  readonly silent: (cause: AppError) => void;
  /** There is no contact: containers may have come and gone. */
  readonly lost: (cause: AppError) => void;
}

/** Events that take a container's addresses away, in Docker's and in Podman's words. */
const ENDINGS = new Set(["die", "died", "destroy", "remove", "cleanup"]);
/** Events after which a container may have an address that it had not. */
const BEGINNINGS = new Set(["create", "init", "start", "restart"]);
const OTHERS = new Set(["rename", "update", "pause", "unpause", "stop", "health_status"]);

/** Keeps contact with the engine, for ever: events first, then the list, so that no change falls between. */
export function watchEngine(
  connect: () => Promise<Engine>,
  picture: MutablePicture,
  log: Log,
  watcher: Watcher,
): { readonly close: () => void } {
  let closed = false;
  let current: AbortController | undefined;

  async function run(): Promise<void> {
    let backoffMs = BACKOFF_MIN_MS;
    let said = "";
    while (!closed) {
      const abort = new AbortController();
      current = abort;
      let quiet = false;
      try {
        const ended = await runSession(await connect(), abort, () => {
          backoffMs = BACKOFF_MIN_MS;
          said = "";
        });
        quiet = ended === "resync";
      } catch (error) {
        if (closed) return;
        const cause = toAppError(error);
        watcher.lost(cause);
        // A dead engine is tried twice a second: the log gets one line for each new reason.
        if (cause.publicMessage !== said)
          log.warning("no contact with the engine", { cause: cause.publicMessage, hint: cause.hint });
        said = cause.publicMessage;
      } finally {
        abort.abort();
      }
      if (quiet) continue;
      await Bun.sleep(backoffMs);
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
    }
  }

  /** Ends by an error, or with "resync" when an engine that was silent answers again. */
  async function runSession(engine: Engine, abort: AbortController, onLive: () => void): Promise<"resync"> {
    const inspections = createInspections(engine, picture, log, watcher.changed);
    const connectDeadline = setTimeout(
      () => abort.abort(new AppError("engine-unavailable", `The engine at ${engine.target} does not answer`)),
      2_000,
    );
    let networks: { readonly begunAtMs: number; readonly promise: Promise<void> } | undefined;
    let listing: Promise<boolean> | undefined;

    async function readNetworks(): Promise<void> {
      const answer = decodeText(NetworksSchema, await engine.get("/networks"), "the list of networks");
      picture.setNetworks(
        answer.map((network) => {
          const configs = network.IPAM?.Config ?? [];
          return {
            id: network.Id,
            name: network.Name,
            subnets: configs.flatMap((config) => (config.Subnet ? [config.Subnet] : [])),
            gateways: configs.flatMap((config) => (config.Gateway ? [canonicalAddress(config.Gateway)] : [])),
          };
        }),
      );
    }

    function rereadNetworks(): Promise<void> {
      if (networks === undefined || Date.now() - networks.begunAtMs > NETWORKS_EVERY_MS) {
        networks = { begunAtMs: Date.now(), promise: readNetworks().catch(() => undefined) };
      }
      return networks.promise;
    }

    /** @param all inspects every container, not only those that are new to us */
    async function list(all: boolean): Promise<void> {
      const listed = decodeText(ListSchema, await engine.get("/containers/json?all=1"), "the list of containers");
      const known = new Set(picture.containers.keys());
      const fresh = listed.filter(
        ({ Id, State }) => all || picture.containers.get(Id)?.running !== (State === "running"),
      );
      const gone = [...known].filter((id) => all || !listed.some(({ Id }) => Id === id));
      const ids = new Set([...fresh.map(({ Id }) => Id), ...gone]);
      await Promise.all([...ids].map((id) => inspections.inspect(id, true)));
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

    function apply(event: EngineEvent): void {
      const action = event.Action.split(":")[0] ?? "";
      const isMove = event.Type === "network" && (action === "connect" || action === "disconnect");
      // In Podman's event the actor is the container; in Docker's it is the network, and the container an attribute.
      const moved = event.Actor.Attributes?.container ?? event.Actor.ID;
      const id = event.Type === "container" ? event.Actor.ID : moved;
      if (event.Type === "network" && !isMove) {
        readNetworks().catch((error: unknown) => abort.abort(error));
        return;
      }
      if (!id || (event.Type !== "container" && event.Type !== "network")) return;
      const ends = event.Type === "container" ? ENDINGS.has(action) : action === "disconnect";
      const begins = event.Type === "container" ? BEGINNINGS.has(action) : action === "connect";
      if (ends) inspections.withdraw(id);
      if (ends || begins || (event.Type === "container" && OTHERS.has(action))) void inspections.inspect(id, begins);
    }

    async function readEvents(lines: AsyncIterable<string>): Promise<never> {
      for await (const line of lines) apply(decodeText(EventSchema, line, "an event"));
      throw new AppError("engine-unavailable", `The engine at ${engine.target} ended its stream of events`);
    }

    async function watchPings(): Promise<"resync"> {
      let silent = false;
      for (;;) {
        await Bun.sleep(silent ? PING_EVERY_MS / 4 : PING_EVERY_MS);
        if (abort.signal.aborted) throw abort.signal.reason;
        try {
          await engine.ping(PING_TIMEOUT_MS);
          if (silent) return "resync";
        } catch (error) {
          const cause = toAppError(error);
          if (!silent) log.warning("the engine is silent", { target: engine.target, cause: cause.publicMessage });
          silent = true;
          if (!abort.signal.aborted) watcher.silent(cause);
        }
      }
    }

    try {
      const filters = encodeURIComponent(JSON.stringify({ type: ["container", "network"] }));
      const lines = await engine.lines(`/events?filters=${filters}`, abort.signal);
      clearTimeout(connectDeadline);
      const reading = readEvents(lines);
      const reread = Promise.all([readNetworks(), list(true)]);
      // Whichever loses a race below fails later, when nobody listens any more.
      for (const promise of [reading, reread]) promise.catch(() => undefined);
      await Promise.race([reading, reread]);
      if (abort.signal.aborted) throw abort.signal.reason;
      watcher.live({ engine, inspections, relist, rereadNetworks });
      onLive();
      log.info("watching the engine", {
        target: engine.target,
        version: engine.apiVersion,
        containers: picture.containers.size,
      });
      const pinging = watchPings();
      pinging.catch(() => undefined);
      return await Promise.race([reading, pinging]);
    } finally {
      clearTimeout(connectDeadline);
      inspections.close();
      abort.abort();
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
  return new AppError("engine-unavailable", "The contact with the engine broke off", { cause: error });
}
