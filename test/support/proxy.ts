import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Connection {
  readonly client: Socket;
  readonly engine: Socket;
  streamsEvents: boolean;
}

export type EngineProxy = Awaited<ReturnType<typeof createEngineProxy>>;

/** Stands between the server and the engine's socket, and fails as an engine does. */
export async function createEngineProxy(socket: string) {
  const folder = mkdtempSync(join(tmpdir(), "ecs-local-proxy-"));
  const path = join(folder, "docker.sock");
  const connections = new Set<Connection>();
  let listener: Server | undefined;
  let isHolding = false;
  let firstAnswer = Promise.withResolvers<number>();

  function accept(client: Socket): void {
    const engine = createConnection(socket);
    const connection: Connection = { client, engine, streamsEvents: false };
    connections.add(connection);
    const end = () => {
      connections.delete(connection);
      client.destroy();
      engine.destroy();
    };
    for (const side of [client, engine]) side.on("error", end).on("close", end);
    client.on("data", (chunk) => {
      // Podman is also asked for the events that there are by now, which ends at once.
      if (/^GET \S*\/events\?(?!stream=false)/.test(chunk.toString("latin1"))) connection.streamsEvents = true;
    });
    engine.on("data", () => firstAnswer.resolve(Date.now()));
    client.pipe(engine);
    engine.pipe(client);
    if (isHolding) hush(connection);
  }

  /** Takes in what comes and hands nothing on. */
  function hush({ client, engine }: Connection): void {
    client.unpipe(engine).pause();
    engine.unpipe(client).pause();
  }

  function resume({ client, engine }: Connection): void {
    client.pipe(engine);
    engine.pipe(client);
  }

  async function open(): Promise<void> {
    firstAnswer = Promise.withResolvers();
    listener = createServer(accept);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    listener.once("error", reject).listen(path, resolve);
    await promise;
  }

  /** The engine ends: its socket goes, and every connection with it. */
  async function close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (listener) listener.close(() => resolve());
    else resolve();
    for (const { client } of connections) client.destroy();
    await promise;
    listener = undefined;
  }

  await open();
  return {
    host: `unix://${path}`,
    open,
    close,
    /** Ends the event streams only; how many there were. */
    cutEvents(): number {
      const streams = [...connections].filter(({ streamsEvents }) => streamsEvents);
      for (const { client } of streams) client.destroy();
      return streams.length;
    },
    hold(): void {
      isHolding = true;
      connections.forEach(hush);
    },
    release(): void {
      if (!isHolding) return;
      isHolding = false;
      firstAnswer = Promise.withResolvers();
      connections.forEach(resume);
    },
    /** When the engine first answered after the last `open` or `release`, in ms since 1970. */
    firstAnswer: (): Promise<number> => firstAnswer.promise,
    async remove(): Promise<void> {
      await close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
