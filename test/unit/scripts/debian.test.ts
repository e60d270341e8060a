import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianPackage, digest } from "../../../scripts/container/debian.ts";

const bytes = new TextEncoder().encode("a package");
const pinned = { path: "pool/main/x/x/x_1+2_all.deb", sha256: digest(bytes) };
let folder: string;
let served: Uint8Array<ArrayBufferLike>;
let asked: string[];
let mirror: Bun.Server<undefined>;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "ecs-local-debian-")), "kept");
  served = bytes;
  asked = [];
  mirror = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      asked.push(new URL(request.url).pathname);
      return served.length > 0 ? new Response(Buffer.from(served)) : new Response(null, { status: 404 });
    },
  });
});
afterEach(() => {
  mirror.stop(true);
  rmSync(join(folder, ".."), { recursive: true });
});
const get = () => debianPackage(pinned, folder, { DEBIAN_MIRROR: `http://127.0.0.1:${mirror.port}/debian/` });

test("a package is fetched from the mirror once, and kept", async () => {
  const file = await get();
  expect(await get()).toBe(file);
  expect(readFileSync(file)).toEqual(Buffer.from(bytes));
  expect(asked).toEqual(["/debian/pool/main/x/x/x_1%2b2_all.deb"]);
});

test("one that was kept and has changed is fetched again", async () => {
  writeFileSync(await get(), "another");
  expect(readFileSync(await get())).toEqual(Buffer.from(bytes));
  expect(asked).toHaveLength(2);
});

test("another file than the one that is pinned is refused with its checksum and the remedy, and not kept", async () => {
  served = new TextEncoder().encode("another");
  expect(get()).rejects.toThrow(new RegExp(`is another file.*${digest(served)}\nhint: .*pins\\.ts`));
  await get().catch(() => undefined);
  expect(() => readdirSync(folder)).toThrow();
});

test("a mirror that has none, or does not answer, is named with the remedy", async () => {
  served = new Uint8Array();
  expect(get()).rejects.toThrow(/x_1\+2_all\.deb .*\nhttp:\/\/127.*: status 404\nhint: set DEBIAN_MIRROR/);
  await get().catch(() => undefined);
  mirror.stop(true);
  expect(get()).rejects.toThrow(/\nhttp:\/\/127.*\nhint: set DEBIAN_MIRROR/);
});
