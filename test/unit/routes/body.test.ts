import { expect, test } from "bun:test";
import { readBody } from "../../../src/routes/agent-api.ts";

const request = (body: ReadableStream | Uint8Array<ArrayBuffer> | string | null) =>
  new Request("http://h/", { method: "PUT", body });

test("a body is read to its end, with a byte order mark, and with bytes that are not text", async () => {
  expect(await readBody(request("\ufeff{}"))).toBe("\ufeff{}");
  expect(await readBody(request(new Uint8Array([0x7b, 0xff, 0x7d])))).toBe("{\ufffd}");
  expect(await readBody(request(null))).toBe("");
});

test("a body that does not come in time is an empty one", async () => {
  const begunMs = performance.now();
  const never = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("{}")) });
  expect(await readBody(request(never), 50)).toBe("");
  expect(performance.now() - begunMs).toBeWithin(45, 1_000);
});

test("a body that breaks off is an empty one", async () => {
  const broken = new ReadableStream({ start: (controller) => controller.error(new Error("reset")) });
  expect(await readBody(request(broken))).toBe("");
});
