import { describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { createEngine } from "../../../src/engine/client.ts";
import { chunks, endpointAt, MIB, serveEngine, socketPath } from "./socket-server.ts";

describe("lines", () => {
  test("are the engine's, over its socket", async () => {
    await using served = await serveEngine(() => chunks(["a\nb", "c\nd"]));
    const lines = await served.engine.lines("/events", new AbortController().signal);
    expect(await Array.fromAsync(lines)).toEqual(["a", "bc"]);
  });

  test("of more than 32 MiB are refused by the name of the socket", async () => {
    const begun = new Uint8Array(MIB).fill(120);
    const endless = () => new Response(new ReadableStream({ pull: (controller) => controller.enqueue(begun) }));
    await using served = await serveEngine(endless);
    const lines = await served.engine.lines("/events", new AbortController().signal);
    const message = `The engine at ${served.target} sent a line of more than 32 MiB`;
    await expect(Array.fromAsync(lines)).rejects.toThrow(
      expect.objectContaining({ code: "engine-bad-answer", message }),
    );
  });

  test("end with the signal", async () => {
    const forever = () => new Response(new ReadableStream({ start: (controller) => controller.enqueue("a\n") }));
    await using served = await serveEngine(forever);
    const abort = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const line of await served.engine.lines("/events", abort.signal)) {
        seen.push(line);
        abort.abort();
      }
    })();
    await expect(following).rejects.toThrow(expect.objectContaining({ code: "engine-unavailable" }));
    expect(seen).toEqual(["a"]);
    expect(served.paths).toEqual(["/version", "/v1.47/events"]);
  });

  test("of a refusal are an error", async () => {
    await using served = await serveEngine(() => new Response("no", { status: 500 }));
    await expect(served.engine.lines("/events", new AbortController().signal)).rejects.toThrow(
      expect.objectContaining({
        code: "engine-refused",
        message: expect.stringMatching(/ answered 500 for .*\/events$/),
      }),
    );
  });

  test("of a connection that breaks off are an error after what came", async () => {
    const version = '{"ApiVersion":"1.47"}';
    const path = socketPath();
    const server = createServer((socket) => {
      socket.once("data", (request) => {
        if (request.includes("/version ")) {
          socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${version.length}\r\nConnection: close\r\n\r\n${version}`);
          return;
        }
        socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n");
        setTimeout(() => socket.destroy(), 10);
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const seen: string[] = [];
    const following = (async () => {
      const engine = await createEngine(endpointAt(path), undefined);
      for await (const line of await engine.lines("/events", new AbortController().signal)) seen.push(line);
    })();
    const message = `The engine at unix://${path} broke off the connection`;
    await expect(following).rejects.toThrow(expect.objectContaining({ code: "engine-unavailable", message }));
    server.close();
    expect(seen).toEqual(["a"]);
  });
});
