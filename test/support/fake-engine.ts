import { chownSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContainerDocument, summary } from "./containers.ts";
import { createLifecycle, type EngineEvent, findContainer } from "./fake-engine-lifecycle.ts";
import { type FrameOptions, statsFrame } from "./fake-engine-stats.ts";
import { createStreams } from "./fake-engine-streams.ts";
import type { NetworkDocument } from "./networks.ts";

interface Options {
  containers?: ContainerDocument[];
  networks?: NetworkDocument[];
  apiVersion?: string;
  minApiVersion?: string;
  statsIntervalMs?: number;
  stats?: FrameOptions;
  /** Makes it Podman, whose stream of events lags by so much. */
  lateEventsMs?: number;
  /** Makes it rootless: its socket is a user's. */
  rootless?: boolean;
  /** The bridges that Podman's own API names, by the network's id. */
  podmanInterfaces?: Record<string, string>;
}

const json = (body: unknown, status = 200) => Response.json(body, { status, headers: { server: "Docker/29" } });
const missing = (what: string) => json({ message: `No such ${what}` }, 404);

/** The part of the Docker Engine that we ask, on a real unix socket. Lists come in another order each time. */
export function startFakeEngine(options: Options = {}) {
  const { apiVersion = "1.47", minApiVersion = "1.40", statsIntervalMs = 1_000, lateEventsMs } = options;
  const socketPath = join(tmpdir(), `fake-engine-${process.pid}-${Math.random().toString(36).slice(2, 10)}.sock`);
  const containers = new Map((options.containers ?? []).map((document) => [document.Id, document]));
  const networks = new Map((options.networks ?? []).map((document) => [document.Id, document]));
  /** Every path asked for, in order, without its version and query. */
  const requests: string[] = [];
  /** What it has sent of events, or will. */
  const events: string[] = [];
  const vanished = new Set<string>();
  const broken = new Set<string>();
  const faults = {
    /** Accept and never answer: every request, or those whose path passes. */
    hold: false as boolean | ((path: string) => boolean),
    /** For how many milliseconds the answer, made when it was asked for, is kept back. */
    late: (_path: string): number => 0,
    /** The next line of any stream is cut in its middle, and the stream ends. */
    halfLine: false,
    /** Lists and inspects are a body that never ends. */
    endlessBody: false,
    /** Answers these paths with what is not JSON. */
    garbage: (_path: string): boolean => false,
    /** Listed, and gone when inspected. */
    inspect404: (id: string) => vanished.add(id),
    /** Listed, and an error when inspected. */
    inspect500: (id: string) => broken.add(id),
    dropEvents: () => streams.end("events"),
    down: async () => {
      await server.stop(true);
      rmSync(socketPath, { force: true });
    },
    up: () => {
      server = listen();
    },
  };
  const streams = createStreams(() => faults.halfLine);
  const { stop, ...lifecycle } = createLifecycle(containers, emit, (id) => streams.end(`stats ${id}`));

  function stats(document: ContainerDocument): Response {
    let count = 0;
    return streams.open(`stats ${document.Id}`, (send) => {
      const last = options.stats?.last ?? Number.POSITIVE_INFINITY;
      const tick = () => send(statsFrame(document, Math.min(count++, last), options.stats));
      tick();
      const timer = setInterval(tick, statsIntervalMs);
      return () => clearInterval(timer);
    });
  }

  function security() {
    const { rootless: Rootless = false } = options;
    const SecurityOptions = ["name=seccomp,profile=default"];
    if (lateEventsMs !== undefined) return { SecurityOptions, Rootless };
    return { SecurityOptions: Rootless ? [...SecurityOptions, "name=rootless"] : SecurityOptions };
  }

  function answer(path: string, query: URLSearchParams): Response {
    const [, collection, id = "", rest] = path.split("/");
    if (path === "/_ping") return new Response("OK");
    if (path === "/version") {
      const Components = [{ Name: lateEventsMs === undefined ? "Engine" : "Podman Engine" }];
      return json({ Version: "29.0.0", ApiVersion: apiVersion, MinAPIVersion: minApiVersion, Components });
    }
    if (path === "/info") return json({ NCPU: 4, MemTotal: 8_589_934_592, ...security() });
    if (path === "/events" && query.get("stream") === "false") return new Response(events.join("\n"));
    if (path === "/events") return streams.open("events", () => () => {});
    if (faults.endlessBody)
      return new Response(new ReadableStream({ pull: (c) => c.enqueue(Buffer.alloc(65_536, " ")) }));
    if (path === "/containers/json") return json(shuffle([...containers.values()]).map(summary));
    if (path === "/v4.0.0/libpod/networks/json") {
      return json(
        Object.entries(options.podmanInterfaces ?? {}).map(([id, name]) => ({ id, network_interface: name })),
      );
    }
    if (path === "/networks") return json(shuffle([...networks.values()]));
    if (collection === "networks") {
      const found = networks.get(id) ?? [...networks.values()].find(({ Name }) => Name === id);
      return found ? json(found) : missing(`network: ${id}`);
    }
    const found = findContainer(containers, id);
    if (collection !== "containers" || !found) return missing(`container: ${id}`);
    if (rest === "stats") return stats(found);
    if (broken.has(found.Id)) return json({ message: "its layer is damaged" }, 500);
    return vanished.has(found.Id) ? missing(`container: ${id}`) : json(found);
  }

  async function respond(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const [, version, path = "/"] = /^(?:\/v(1\.\d+))?(\/.*)$/.exec(pathname) ?? [];
    requests.push(path);
    if (typeof faults.hold === "function" ? faults.hold(path) : faults.hold) await new Promise(() => {});
    const minor = (text: string) => Number(text.split(".")[1]);
    const spoken = !version || (minor(version) >= minor(minApiVersion) && minor(version) <= minor(apiVersion));
    if (faults.garbage(path)) return new Response("<html>");
    if (spoken) {
      const made = answer(path, searchParams);
      await Bun.sleep(faults.late(path));
      return made;
    }
    return json({ message: `client version ${version} is not one of ${minApiVersion} to ${apiVersion}` }, 400);
  }

  function listen() {
    // Streams are idle for long. Bun heeds this on a unix socket too, only its types do not know.
    const forever: object = { idleTimeout: 0 };
    const listening = Bun.serve({ unix: socketPath, development: false, fetch: respond, ...forever });
    if (options.rootless && process.getuid?.() === 0) chownSync(socketPath, 1_000, 1_000);
    return listening;
  }
  let server = listen();

  function emit(event: EngineEvent): void {
    const now = Date.now();
    const time = { time: Math.floor(now / 1000), timeNano: now * 1_000_000 };
    const line = JSON.stringify({ ...event, scope: "local", ...time });
    events.push(line);
    if (lateEventsMs === undefined) streams.send("events", line);
    else setTimeout(() => streams.send("events", line), lateEventsMs);
  }

  return {
    socketPath,
    host: `unix://${socketPath}`,
    containers,
    networks,
    requests,
    faults,
    emit,
    /** How often a path was asked for, exactly or by pattern. */
    count: (path: string | RegExp) =>
      requests.filter((asked) => (typeof path === "string" ? asked === path : path.test(asked))).length,
    /** How many streams of that kind are open now. */
    openStreams: (kind: "events" | "stats") => streams.count(kind),
    ...lifecycle,
    /** Stops that container, or without one the engine itself. */
    async stop(id?: string, exitCode = 0): Promise<void> {
      if (id === undefined) await faults.down();
      else stop(id, exitCode);
    },
  };
}

/** An engine promises no order, so none is kept twice. */
function shuffle<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
