import { afterAll, describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { healthcheck } from "../../../src/commands/healthcheck.ts";
import { freePort } from "../../support/free-port.ts";

const stops: (() => unknown)[] = [];
afterAll(() => {
  for (const stop of stops) stop();
});

function serve(answer: () => Response, hostname = "127.0.0.1"): number {
  const server = Bun.serve({ port: 0, hostname, fetch: answer });
  stops.push(() => server.stop(true));
  return server.port ?? 0;
}
const DETAILS = { status: "ok", version: "1.2.3", engine: "unavailable" };
const json = (body: unknown) => () => Response.json(body);

describe("healthcheck", () => {
  for (const [bindAddress, asked] of [
    ["127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "127.0.0.1"],
    ["::", "127.0.0.1"],
    ["localhost", "localhost"],
    ["::1", "[::1]"],
  ] as const) {
    test(`of a server that listens on ${bindAddress} asks ${asked}`, async () => {
      const port = serve(json({ status: "ok" }), bindAddress === "localhost" ? "127.0.0.1" : bindAddress);
      expect(await healthcheck({ port, bindAddress })).toEqual({ code: 0, line: `healthy: ${asked}:${port}` });
    });
  }
  for (const [title, identity, said] of [
    ["is there", { status: "ok", expiration: "2026-01-02T03:04:05Z" }, "ok until 2026-01-02T03:04:05Z"],
    ["failed", { status: "failed", code: "no-identity" }, "failed (no-identity)"],
    ["was not asked for", { status: "unknown" }, "unknown"],
  ] as const) {
    test(`repeats what the server says of engine and identity, which ${title}, and is well`, async () => {
      const port = serve(json({ ...DETAILS, identity }));
      const { code, line } = await healthcheck({ port, bindAddress: "127.0.0.1" });
      expect(code).toBe(0);
      expect(line).toEndWith(`:${port}, version 1.2.3, engine unavailable, identity ${said}`);
    });
  }
  for (const [title, answer, reason] of [
    ["another status", () => new Response('{"status":"ok"}', { status: 503 }), "answers with status 503"],
    ["a redirect", () => Response.redirect("http://127.0.0.1:9/", 302), "answers with status 302"],
    ["another program", () => new Response("hello"), 'is not ecs-local-endpoints: it answers "hello"'],
    ["null", json(null), 'is not ecs-local-endpoints: it answers "null"'],
    ["another health", json({ status: "UP" }), "is not ecs-local-endpoints"],
    ["a page", () => new Response("<\n".repeat(90)), `answers "${"<\\n".repeat(40)}"...`],
  ] as const) {
    test(`says in one line why not: ${title}`, async () => {
      const port = serve(answer);
      const { code, line } = await healthcheck({ port, bindAddress: "127.0.0.1" });
      expect(code).toBe(1);
      expect(line).toStartWith(`unhealthy: 127.0.0.1:${port} `);
      expect(line).toContain(reason);
      expect(line).not.toContain("\n");
    });
  }
  for (const [title, body, said] of [
    ["null as the identity", { ...DETAILS, identity: null }, ", version 1.2.3, engine unavailable"],
    ["text as the identity", { ...DETAILS, identity: "x" }, ", version 1.2.3, engine unavailable"],
    ["no identity", DETAILS, ", version 1.2.3, engine unavailable"],
    ["numbers", { status: "ok", version: 1, engine: {}, identity: { status: [], code: "x" } }, ""],
    ["control characters", { ...DETAILS, version: "1\u001b[31m\n2\u009b" }, ", version 1 [31m 2 , engine unavailable"],
  ] as const) {
    test(`takes an answer with ${title}, and says one line`, async () => {
      const port = serve(json(body));
      const line = `healthy: 127.0.0.1:${port}${said}`;
      expect(await healthcheck({ port, bindAddress: "127.0.0.1" })).toEqual({ code: 0, line });
    });
  }
  test("reads no more of an answer than health can be", async () => {
    let sent = 0;
    const pull = async (controller: ReadableStreamDefaultController) => {
      await Bun.sleep(1);
      sent += 16_384;
      controller.enqueue(new Uint8Array(16_384).fill(120));
    };
    const port = serve(() => new Response(new ReadableStream({ pull })));
    const { code, line } = await healthcheck({ port, bindAddress: "127.0.0.1" });
    expect([code, line]).toEqual([1, expect.stringContaining(`answers "${"x".repeat(80)}"...`)]);
    expect(sent).toBeLessThan(16 * 1024 * 1024);
  });
  test("says that there is no answer, and the likely reason", async () => {
    const port = freePort();
    const { code, line } = await healthcheck({ port, bindAddress: "127.0.0.1" });
    expect([code, line]).toEqual([1, expect.stringMatching(/is not answered; .*--port/)]);
  });
  test("waits for a server that does not answer until its time is up", async () => {
    const silent = createServer(() => {});
    const { promise, resolve } = Promise.withResolvers<void>();
    silent.listen(0, "127.0.0.1", resolve);
    await promise;
    stops.push(() => silent.close());
    const address = silent.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const { code, line } = await healthcheck({ port, bindAddress: "127.0.0.1" }, 100);
    expect([code, line]).toEqual([1, `unhealthy: 127.0.0.1:${port} does not answer within 0.1 s`]);
  });
});
