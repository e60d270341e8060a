import type { Socket } from "bun";

export interface Load {
  readonly path: string;
  readonly connections: number;
  /** No request is begun after either. */
  readonly durationMs: number;
  readonly requestsMax: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Reading {
  sentAtMs: number;
  /** The bytes of a head that is not complete yet. */
  head: Buffer | undefined;
  bodyBytesLeft: number;
  ended: boolean;
}

/** Asks one path over and over on connections that stay open, each with one request at a time. */
export async function load(port: number, { path, connections, durationMs, requestsMax }: Load): Promise<LoadResult> {
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  const latenciesMs: number[] = [];
  const done = Promise.withResolvers<void>();
  const beganAtMs = performance.now();
  let begun = 0;
  let open = connections;

  function ask(socket: Socket<Reading>): void {
    const nowMs = performance.now();
    if (begun >= requestsMax || nowMs - beganAtMs >= durationMs) {
      open -= 1;
      socket.data.ended = true;
      socket.end();
      if (open === 0) done.resolve();
      return;
    }
    begun += 1;
    socket.data.sentAtMs = nowMs;
    socket.data.bodyBytesLeft = -1;
    socket.write(request);
  }

  function read(socket: Socket<Reading>, chunk: Buffer): void {
    const reading = socket.data;
    if (reading.bodyBytesLeft < 0) {
      const bytes = reading.head ? Buffer.concat([reading.head, chunk]) : chunk;
      const end = bytes.indexOf("\r\n\r\n");
      reading.head = end < 0 ? Buffer.from(bytes) : undefined;
      if (end < 0) return;
      reading.bodyBytesLeft = bodyLength(bytes.toString("latin1", 0, end), path) - (bytes.length - end - 4);
    } else {
      reading.bodyBytesLeft -= chunk.length;
    }
    if (reading.bodyBytesLeft > 0) return;
    latenciesMs.push(performance.now() - reading.sentAtMs);
    ask(socket);
  }

  const connect = () =>
    Bun.connect<Reading>({
      hostname: "127.0.0.1",
      port,
      data: { sentAtMs: 0, head: undefined, bodyBytesLeft: -1, ended: false },
      socket: {
        open: ask,
        data(socket, chunk) {
          try {
            read(socket, chunk);
          } catch (error) {
            done.reject(error);
            socket.end();
          }
        },
        error: (_, error) => done.reject(error),
        close(socket) {
          if (!socket.data.ended) done.reject(new Error(`the server closed a connection during ${path}`));
        },
      },
    });
  await Promise.all(Array.from({ length: connections }, connect));
  await done.promise;
  const seconds = (performance.now() - beganAtMs) / 1_000;
  latenciesMs.sort((a, b) => a - b);
  const at = (share: number) => latenciesMs[Math.floor(latenciesMs.length * share)] ?? 0;
  return { requests: latenciesMs.length, seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function bodyLength(head: string, path: string): number {
  if (!head.startsWith("HTTP/1.1 200")) throw new Error(`${path} was answered with: ${head.split("\r\n")[0]}`);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length === undefined) throw new Error(`${path} was answered without a Content-Length`);
  return Number(length);
}
