import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContainerDocument, NetworkDocument } from "./containers.ts";

interface Options {
  containers?: ContainerDocument[];
  networks?: NetworkDocument[];
  apiVersion?: string;
  minApiVersion?: string;
  statsIntervalMs?: number;
}
type Event = { Type: string; Action: string; Actor: { ID: string; Attributes: Record<string, string> } };
type Stream = { kind: string; send: (line: string) => void; end: () => void };

const json = (body: unknown, status = 200) => Response.json(body, { status, headers: { server: "Docker/29" } });
const missing = (what: string) => json({ message: `No such ${what}` }, 404);

/** The part of the Docker Engine that we ask, on a real unix socket. Lists come in another order each time. */
export function startFakeEngine(options: Options = {}) {
  const { apiVersion = "1.47", minApiVersion = "1.40", statsIntervalMs = 1_000 } = options;
  const socketPath = join(tmpdir(), `fake-engine-${process.pid}-${Math.random().toString(36).slice(2, 10)}.sock`);
  const containers = new Map((options.containers ?? []).map((document) => [document.Id, document]));
  const networks = new Map((options.networks ?? []).map((document) => [document.Id, document]));
  /** What an endpoint had before its container stopped: a stopped one has no address. */
  const endpoints = new Map<string, ContainerDocument["NetworkSettings"]["Networks"]>();
  const streams = new Set<Stream>();
  /** Every path asked for, in order, without its version and query. */
  const requests: string[] = [];
  const vanished = new Set<string>();
  const endAll = (kind: string) => {
    for (const stream of [...streams]) if (stream.kind.startsWith(kind)) stream.end();
  };
  const faults = {
    /** Accept and never answer: every request, or those whose path passes. */
    hold: false as boolean | ((path: string) => boolean),
    /** The next line of any stream is cut in its middle, and the stream ends. */
    halfLine: false,
    /** Lists and inspects are a body that never ends. */
    endlessBody: false,
    /** Listed, and gone when inspected. */
    inspect404: (id: string) => vanished.add(id),
    dropEvents: () => endAll("events"),
    down: async () => {
      await server.stop(true);
      rmSync(socketPath, { force: true });
    },
    up: () => {
      server = listen();
    },
  };

  function stream(kind: string, begin: (stream: Stream) => () => void): Response {
    let finish = () => {};
    const body = new ReadableStream<string>({
      start(controller) {
        // Bun keeps the headers back until a first byte; Docker sends them at once.
        controller.enqueue("\n");
        let open = true;
        const self: Stream = {
          kind,
          send(line) {
            if (!open) return;
            controller.enqueue(faults.halfLine ? line.slice(0, line.length / 2) : `${line}\n`);
            if (faults.halfLine) self.end();
          },
          end() {
            if (!open) return;
            finish();
            controller.close();
          },
        };
        let stop = () => {};
        finish = () => {
          open = false;
          streams.delete(self);
          stop();
        };
        streams.add(self);
        const begun = begin(self);
        if (open) stop = begun;
        else begun();
      },
      cancel: () => finish(),
    });
    return new Response(body.pipeThrough(new TextEncoderStream()), { headers: { "content-type": "application/json" } });
  }

  function stats(document: ContainerDocument): Response {
    let count = 0;
    return stream(`stats ${document.Id}`, ({ send }) => {
      const tick = () => send(statsFrame(document, count++));
      tick();
      const timer = setInterval(tick, statsIntervalMs);
      return () => clearInterval(timer);
    });
  }

  function answer(path: string): Response {
    const [, collection, id = "", rest] = path.split("/");
    if (path === "/_ping") return new Response("OK");
    if (path === "/version") return json({ Version: "29.0.0", ApiVersion: apiVersion, MinAPIVersion: minApiVersion });
    if (path === "/events") return stream("events", () => () => {});
    if (faults.endlessBody)
      return new Response(new ReadableStream({ pull: (c) => c.enqueue(Buffer.alloc(65_536, " ")) }));
    if (path === "/containers/json") return json(shuffle([...containers.values()]).map(summary));
    if (path === "/networks") return json(shuffle([...networks.values()]));
    if (collection === "networks") {
      const found = networks.get(id) ?? [...networks.values()].find(({ Name }) => Name === id);
      return found ? json(found) : missing(`network: ${id}`);
    }
    const found = containers.get(id) ?? [...containers.values()].find(({ Name }) => Name === `/${id}`);
    if (collection !== "containers" || !found) return missing(`container: ${id}`);
    if (rest === "stats") return stats(found);
    return vanished.has(found.Id) ? missing(`container: ${id}`) : json(found);
  }

  async function respond(request: Request): Promise<Response> {
    const [, version, path = "/"] = /^(?:\/v(1\.\d+))?(\/.*)$/.exec(new URL(request.url).pathname) ?? [];
    requests.push(path);
    if (typeof faults.hold === "function" ? faults.hold(path) : faults.hold) await new Promise(() => {});
    const minor = (text: string) => Number(text.split(".")[1]);
    const spoken = !version || (minor(version) >= minor(minApiVersion) && minor(version) <= minor(apiVersion));
    if (spoken) return answer(path);
    return json({ message: `client version ${version} is not one of ${minApiVersion} to ${apiVersion}` }, 400);
  }

  function listen() {
    // Streams are idle for long. Bun heeds this on a unix socket too, only its types do not know.
    const forever: object = { idleTimeout: 0 };
    return Bun.serve({ unix: socketPath, development: false, fetch: respond, ...forever });
  }
  let server = listen();

  function emit(event: Event): void {
    const now = Date.now();
    const line = JSON.stringify({ ...event, scope: "local", time: Math.floor(now / 1000), timeNano: now * 1_000_000 });
    for (const { kind, send } of [...streams]) if (kind === "events") send(line);
  }

  function emitContainer({ Id, Name, Config }: ContainerDocument, Action: string, extra = {}): void {
    const Attributes = { image: Config.Image, name: Name.slice(1), ...Config.Labels, ...extra };
    emit({ Type: "container", Action, Actor: { ID: Id, Attributes } });
  }

  function emitNetworks({ Id, NetworkSettings }: ContainerDocument, Action: string): void {
    for (const [name, { NetworkID }] of Object.entries(NetworkSettings.Networks)) {
      emit({ Type: "network", Action, Actor: { ID: NetworkID, Attributes: { container: Id, name, type: "bridge" } } });
    }
  }

  function find(id: string): ContainerDocument {
    const found = containers.get(id) ?? [...containers.values()].find(({ Name }) => Name === `/${id}`);
    if (!found) throw new Error(`the fake engine has no container ${id}`);
    return found;
  }

  function patch(
    document: ContainerDocument,
    state: object,
    Networks: ContainerDocument["NetworkSettings"]["Networks"],
  ) {
    const NetworkSettings = { ...document.NetworkSettings, Networks };
    const next = { ...document, State: { ...document.State, ...state }, NetworkSettings };
    containers.set(document.Id, next);
    return next;
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
    openStreams: (kind: "events" | "stats") => [...streams].filter((stream) => stream.kind.startsWith(kind)).length,
    add(document: ContainerDocument) {
      containers.set(document.Id, document);
      emitContainer(document, "create");
      if (!document.State.Running) return;
      emitNetworks(document, "connect");
      emitContainer(document, "start");
    },
    start(id: string) {
      const document = find(id);
      const state = { Status: "running", Running: true, Pid: 4242, ExitCode: 0, StartedAt: now() };
      const started = patch(document, state, endpoints.get(document.Id) ?? document.NetworkSettings.Networks);
      emitNetworks(started, "connect");
      emitContainer(started, "start");
    },
    /** Stops that container, or without one the engine itself. */
    stop(id?: string, exitCode = 0): Promise<void> {
      if (id === undefined) return faults.down();
      const document = find(id);
      const { Networks } = document.NetworkSettings;
      endpoints.set(document.Id, Networks);
      const none = {
        IPAddress: "",
        GlobalIPv6Address: "",
        Gateway: "",
        IPv6Gateway: "",
        IPPrefixLen: 0,
        MacAddress: "",
      };
      const empty = Object.entries(Networks).map(([name, endpoint]) => [name, { ...endpoint, ...none }] as const);
      const state = { Status: "exited", Running: false, Pid: 0, ExitCode: exitCode, FinishedAt: now() };
      const stopped = patch(document, state, Object.fromEntries(empty));
      endAll(`stats ${document.Id}`);
      emitContainer(stopped, "die", { exitCode: String(exitCode) });
      emitNetworks(stopped, "disconnect");
      emitContainer(stopped, "stop");
      return Promise.resolve();
    },
    remove(id: string) {
      const document = find(id);
      if (document.State.Running) this.stop(document.Id, 137);
      containers.delete(document.Id);
      emitContainer(document, "destroy");
    },
  };
}

/** What a list says of a container: less than its inspect document. */
function summary({ Id, Name, Image, Config, State, Created, HostConfig, NetworkSettings, Mounts }: ContainerDocument) {
  return {
    Id,
    Names: [Name],
    Image: Config.Image,
    ImageID: Image,
    Created: Math.floor(Date.parse(Created) / 1000),
    Labels: Config.Labels,
    State: State.Status,
    Status: State.Running ? "Up 2 minutes" : `Exited (${State.ExitCode})`,
    HostConfig: { NetworkMode: HostConfig.NetworkMode },
    NetworkSettings: { Networks: NetworkSettings.Networks },
    Mounts,
  };
}

/** As text: the counters are 64 bits wide, more than a number of JavaScript holds. */
function statsFrame({ Id, Name, NetworkSettings }: ContainerDocument, count: number): string {
  const at = (n: number) => new Date(Date.now() + (n - count) * 1_000).toISOString().replace("Z", "254284Z");
  const cpu = (n: number) =>
    `{"cpu_usage":{"total_usage":${9_007_199_254_740_993n + BigInt(n)},"usage_in_kernelmode":40000000,"usage_in_usermode":290000000},` +
    `"system_cpu_usage":${13_939_680_000_000 + n * 1_000_000},"online_cpus":2,"throttling_data":{"periods":0,"throttled_periods":0,"throttled_time":0}}`;
  const noCpu =
    '{"cpu_usage":{"total_usage":0,"usage_in_kernelmode":0,"usage_in_usermode":0},"throttling_data":{"periods":0,"throttled_periods":0,"throttled_time":0}}';
  const interfaces = Object.keys(NetworkSettings.Networks).map(
    (_, index) =>
      `"eth${index}":{"rx_bytes":${1_112 + count * 100},"rx_packets":12,"rx_errors":0,"rx_dropped":0,` +
      `"tx_bytes":${84 + count * 50},"tx_packets":2,"tx_errors":0,"tx_dropped":0}`,
  );
  const blkio = [
    "io_service_bytes",
    "io_serviced",
    "io_queue",
    "io_service_time",
    "io_wait_time",
    "io_merged",
    "io_time",
  ];
  const entries = [...blkio.map((name) => `"${name}_recursive":null`), '"sectors_recursive":null'];
  return (
    `{"read":"${at(count)}","preread":"${count === 0 ? "0001-01-01T00:00:00Z" : at(count - 1)}",` +
    `"pids_stats":{"current":3,"limit":18446744073709551615},"blkio_stats":{${entries.join(",")}},"num_procs":0,"storage_stats":{},` +
    `"cpu_stats":${cpu(count)},"precpu_stats":${count === 0 ? noCpu : cpu(count - 1)},` +
    `"memory_stats":{"usage":1806336,"stats":{"active_anon":606208},"limit":9223372036854771712},"name":"${Name}","id":"${Id}"` +
    `${interfaces.length > 0 ? `,"networks":{${interfaces.join(",")}}` : ""}}`
  );
}

const now = () => new Date().toISOString().replace("Z", "123456Z");

/** An engine promises no order, so none is kept twice. */
function shuffle<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
