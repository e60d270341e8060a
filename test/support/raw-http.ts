import { createConnection } from "node:net";
import { noteAnswer } from "./secrets.ts";

export interface RawAnswer {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes as they came, which are UTF-8. */
  readonly body: string;
}

export interface Connection {
  readonly send: (text: string) => void;
  /** The next answer; rejects when the server closes before one is whole. `HEAD` has a length and no body. */
  readonly answer: (method?: string) => Promise<RawAnswer>;
  readonly close: () => void;
}

export interface RawRequest {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const HEAD_END = "\r\n\r\n";

/**
 * A connection from one address of this machine, for what `fetch` cannot send, or not from there. Linux has all of
 * 127.0.0.0/8; macOS has of it what `ifconfig lo0 alias` was told.
 */
export async function connect(port: number, from: string): Promise<Connection> {
  const socket = createConnection({ host: "127.0.0.1", port, localAddress: from });
  let received = Buffer.alloc(0);
  let ended = false;
  let change = Promise.withResolvers<void>();
  const changed = () => {
    change.resolve();
    change = Promise.withResolvers();
  };
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    changed();
  });
  socket.on("close", () => {
    ended = true;
    changed();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", () => resolve());
    socket.on("error", reject);
  });

  return {
    send: (text) => void socket.write(text),
    close: () => void socket.destroy(),
    async answer(method = "GET") {
      for (;;) {
        const read = readAnswer(received, method, ended);
        if (read) {
          received = received.subarray(read.bytes);
          noteAnswer(read.answer.status, read.answer.body);
          return read.answer;
        }
        if (ended) throw new Error(`the server closed after ${JSON.stringify(received.toString())}`);
        await change.promise;
      }
    },
  };
}

/** The text of a request. Its `Host` is the address that containers know us by, unless the headers have another. */
export function requestText({ path, method = "GET", headers = {}, body }: RawRequest): string {
  const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
  const all = { Host: "169.254.170.2", ...length, ...headers };
  const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${fields.join("")}\r\n${body ?? ""}`;
}

/** Sends one request over a connection of its own. */
export async function ask(port: number, from: string, request: RawRequest): Promise<RawAnswer> {
  const connection = await connect(port, from);
  connection.send(requestText(request));
  return connection.answer(request.method).finally(connection.close);
}

function readAnswer(bytes: Buffer, method: string, ended: boolean) {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const [statusLine = "", ...fields] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const headers = Object.fromEntries(
    fields.map((field) => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  );
  const begin = headEnd + HEAD_END.length;
  const length = headers["content-length"];
  // Without a length, which Bun's own refusals lack, a body lasts until the connection does.
  if (length === undefined && !ended) return undefined;
  const end = method === "HEAD" ? begin : length === undefined ? bytes.length : begin + Number(length);
  if (bytes.length < end) return undefined;
  const answer: RawAnswer = {
    status: Number(statusLine.split(" ")[1]),
    headers,
    body: bytes.toString("utf8", begin, end),
  };
  return { answer, bytes: end };
}
