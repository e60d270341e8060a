import { describe, expect, test } from "bun:test";
import { renameSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { createEngine } from "../../../src/engine/client.ts";
import { AppError } from "../../../src/errors.ts";
import { chunks, endpointAt, serve, serveEngine, socketPath } from "./socket-server.ts";

/** The failure of a first contact with the engine at a socket. */
async function failureAt(path: string, timeoutMs?: number): Promise<AppError> {
  try {
    await createEngine(endpointAt(path), undefined, timeoutMs);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("the engine was reached");
}

/** A socket that was listened on once: its file outlives its server when it is moved away in time. */
async function deadSocket(): Promise<string> {
  const [first, kept] = [socketPath(), socketPath()];
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(first, resolve));
  renameSync(first, kept);
  await new Promise((resolve) => server.close(resolve));
  return kept;
}

const never = () => new Promise<Response>(() => {});

describe("an engine that is not reached is named with what is wrong and what to do", () => {
  test("where its socket is not there", async () => {
    const path = socketPath();
    const { code, sentence } = await failureAt(path);
    expect([code, sentence]).toEqual([
      "engine-unavailable",
      `The engine at unix://${path} is not there; start the engine, or mount its socket, or set DOCKER_HOST`,
    ]);
  });

  test("where nothing listens on its socket", async () => {
    const path = await deadSocket();
    const { code, sentence } = await failureAt(path);
    rmSync(path);
    expect([code, sentence]).toEqual([
      "engine-unavailable",
      `The engine at unix://${path} accepts no connection; start the engine`,
    ]);
  });

  test("where nothing listens on its port", async () => {
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: never });
    const target = `tcp://127.0.0.1:${server.port}`;
    const base = `http://127.0.0.1:${server.port}`;
    await server.stop(true);
    const connecting = createEngine({ target, base, init: {} }, undefined);
    await expect(connecting).rejects.toMatchObject({
      code: "engine-unavailable",
      sentence: `The engine at ${target} accepts no connection; start the engine`,
    });
  });

  test("where it accepts and never answers", async () => {
    await using served = serve(never);
    const begunMs = performance.now();
    const { code, sentence } = await failureAt(served.target.slice("unix://".length), 30);
    expect(performance.now() - begunMs).toBeLessThan(1_000);
    expect([code, sentence]).toEqual([
      "engine-unavailable",
      `The engine at ${served.target} does not answer; check whether the engine is healthy`,
    ]);
  });

  test("where it breaks off", async () => {
    const path = socketPath();
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const { code, sentence, cause } = await failureAt(path);
    server.close();
    expect([code, sentence]).toEqual([
      "engine-unavailable",
      `The engine at unix://${path} broke off the connection; check whether the engine is healthy`,
    ]);
    expect(cause).toBeInstanceOf(Error);
  });
});

describe("a deadline", () => {
  const doesNotAnswer = expect.objectContaining({ message: expect.stringMatching(/ does not answer$/) }) as Error;

  test("is the given one for a ping", async () => {
    await using served = await serveEngine(never);
    await expect(served.engine.ping(20)).rejects.toThrow(doesNotAnswer);
  });
  test("is not waited for by a question that is given up", async () => {
    await using served = await serveEngine(never);
    const gone = new AbortController();
    const asked = served.engine.get("/x", { signal: gone.signal });
    gone.abort();
    await expect(asked).rejects.toThrow();
  });
  test("is the engine's own for a question", async () => {
    await using served = await serveEngine(never, 30);
    await expect(served.engine.get("/x")).rejects.toThrow(doesNotAnswer);
  });
  test("holds for a body that comes bit by bit", async () => {
    await using served = await serveEngine(() => chunks(Array<string>(500).fill(" ")), 30);
    await expect(served.engine.get("/x")).rejects.toThrow(doesNotAnswer);
  });
  test("does not end a stream of lines", async () => {
    await using served = await serveEngine(
      async () => chunks([..."abcdefghij".repeat(20)].map((letter) => `${letter}\n`)),
      100,
    );
    const seen: string[] = [];
    for await (const line of await served.engine.lines("/events", new AbortController().signal)) seen.push(line);
    expect(seen.join("")).toBe("abcdefghij".repeat(20));
  });
});
