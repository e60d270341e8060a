import { describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { createEngine } from "../../../src/engine/client.ts";
import { chunks, endpointAt, serveEngine, socketPath } from "./socket-server.ts";

describe("lines", () => {
  const collect = async (lines: AsyncIterable<string>) => {
    const all: string[] = [];
    for await (const line of lines) all.push(line);
    return all;
  };
  const follow = async (parts: readonly (string | Uint8Array)[]) => {
    await using served = await serveEngine(() => chunks(parts));
    return await collect(await served.engine.lines("/events", new AbortController().signal));
  };
  for (const [title, parts, expected] of [
    ["are cut at line breaks", ['{"a":1}\n{"b":2}\n'], ['{"a":1}', '{"b":2}']],
    ["are put together across chunks", ['{"a"', ":1}", '\n{"b":2}', "\n"], ['{"a":1}', '{"b":2}']],
    ["are whole where a chunk cuts a character", [Uint8Array.of(0xc3), Uint8Array.of(0xa4, 10)], ["ä"]],
    ["may end as Windows has it", ["a\r\nb\r\n"], ["a", "b"]],
    ["that are empty are left out", ["\n\na\n \n"], ["a"]],
    ["that have no end are dropped", ['a\n{"half":'], ["a"]],
    ["are none in an empty stream", [], []],
  ] as const) {
    test(title, async () => expect(await follow(parts)).toEqual([...expected]));
  }

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
