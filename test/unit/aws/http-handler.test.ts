import { afterEach, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { HttpRequest } from "@smithy/core/protocols";
import { createHttpHandler } from "../../../src/aws/http-handler.ts";

const MIB = 1024 * 1024;
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

/** Asks a server that answers so. */
async function ask(answer: (request: Request) => Response, deadlineMs?: number): Promise<string> {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  cleanUps.push(() => server.stop(true));
  const request = new HttpRequest({ protocol: "http:", hostname: "127.0.0.1", port: server.port, path: "/" });
  const { response } = await createHttpHandler({}, deadlineMs).handle(request);
  return new TextDecoder().decode(response.body);
}

test("1 MiB is read, and not a byte more", async () => {
  expect(await ask(() => new Response("x".repeat(MIB)))).toHaveLength(MIB);
  await expect(ask(() => new Response("x".repeat(MIB + 1)))).rejects.toThrow("of more than 1 MiB; check the network");
});

test("an answer that is packed without being asked for is unpacked, up to 1 MiB", async () => {
  const packed = (bytes: number) =>
    new Response(gzipSync(Buffer.alloc(bytes, "x")), { headers: { "content-encoding": "gzip" } });
  const asked: (string | null)[] = [];
  const text = await ask((request) => {
    asked.push(request.headers.get("accept-encoding"));
    return packed(MIB);
  });
  expect([...asked, text.length]).toEqual(["identity", MIB]);
  await expect(ask(() => packed(MIB + 1))).rejects.toThrow("of more than 1 MiB");
});

test("half a gigabyte in a few kilobytes costs next to no memory", async () => {
  const bomb = gzipSync(Buffer.alloc(512 * MIB));
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  let most = before;
  const looking = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 1);
  cleanUps.push(() => clearInterval(looking));
  await expect(ask(() => new Response(bomb, { headers: { "content-encoding": "gzip" } }))).rejects.toThrow("1 MiB");
  await Bun.sleep(200);
  expect(most - before).toBeLessThan(64 * MIB);
});

test("the deadline covers a body that drips", async () => {
  const drip = () =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          await Bun.sleep(20);
          controller.enqueue("x");
        },
      }),
    );
  const begun = performance.now();
  await expect(ask(drip, 200)).rejects.toThrow("had no answer from 127.0.0.1");
  expect(performance.now() - begun).toBeLessThan(1000);
});
