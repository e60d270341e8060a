import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine, type Engine } from "../../../src/engine/client.ts";
import type { EngineEndpoint } from "../../../src/engine/discover.ts";

export const MIB = 1024 * 1024;

export type Answer = (path: string) => Response | Promise<Response>;

/** A unique path for a socket. */
export function socketPath(): string {
  return join(tmpdir(), `client-${process.pid}-${Math.random().toString(36).slice(2)}.sock`);
}

export function endpointAt(path: string): EngineEndpoint {
  return { target: `unix://${path}`, base: "http://docker", init: { unix: path } };
}

/** An HTTP server on a real unix socket that answers with `answer`; what it was asked for is in `paths`. */
export function serve(answer: Answer) {
  const path = socketPath();
  const paths: string[] = [];
  const server = Bun.serve({
    unix: path,
    fetch(request) {
      const { pathname, search } = new URL(request.url);
      paths.push(pathname + search);
      return answer(pathname);
    },
  });
  return {
    endpoint: endpointAt(path),
    target: `unix://${path}`,
    paths,
    async [Symbol.asyncDispose]() {
      await server.stop(true);
      rmSync(path, { force: true });
    },
  };
}

/** The same with a client of ours that has agreed on 1.47. */
export async function serveEngine(answer: Answer, timeoutMs?: number) {
  const served = serve((path) => (path === "/version" ? Response.json({ ApiVersion: "1.47" }) : answer(path)));
  const engine: Engine = await createEngine(served.endpoint, undefined, timeoutMs);
  return { ...served, engine };
}

/** A stream's chunks, each sent alone. */
export function chunks(parts: readonly (string | Uint8Array)[]): Response {
  return new Response(
    new ReadableStream({
      async start(controller) {
        for (const part of parts) {
          controller.enqueue(typeof part === "string" ? new TextEncoder().encode(part) : part);
          await Bun.sleep(1);
        }
        controller.close();
      },
    }),
  );
}
