import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { askFromInside } from "../../../../src/commands/doctor/from-inside.ts";
import { listenerOf } from "../../../../src/commands/doctor/listener.ts";
import { askHealth } from "../../../../src/commands/health-client.ts";
import { folder } from "../../../support/folder.ts";
import { freePort } from "../../../support/free-port.ts";
import { secret } from "../../../support/secrets.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

function serve(answer: (path: string) => Response | Promise<Response>): number {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: ({ url }) => answer(new URL(url).pathname) });
  cleanUps.push(() => server.stop(true));
  return server.port ?? 0;
}

/** A body that has no end, and how much of it was taken. */
function endless() {
  let bytes = 0;
  const pull = async (controller: ReadableStreamDefaultController) => {
    await Bun.sleep(1);
    bytes += 65_536;
    controller.enqueue(new Uint8Array(65_536).fill(120));
  };
  return { body: () => new ReadableStream({ pull }), sent: () => bytes };
}

describe("who answers at an address", () => {
  for (const [title, status, body, expected] of [
    ["our server", 200, '{"status":"ok"}', { by: "us", version: undefined }],
    ["a newer one", 200, '{"status":"ok","version":"9.9.9","engine":{"later":1}}', { by: "us", version: "9.9.9" }],
    [
      "one of a long version",
      200,
      `{"status":"ok","version":"${"9".repeat(99)}"}`,
      { by: "us", version: "9".repeat(80) },
    ],
    ["another program", 200, "<html>", { by: "other" }],
    ["another program's JSON", 200, "null", { by: "other" }],
    ["another program's health", 200, '{"status":"UP"}', { by: "other" }],
    ["another program's error", 404, '{"status":"error"}', { by: "other" }],
    ["one that is well by its body alone", 503, '{"status":"ok"}', { by: "other" }],
  ] as const) {
    test(title, async () => {
      const port = serve((path) => new Response(path === "/health" ? body : "", { status }));
      expect<unknown>(await askHealth("127.0.0.1", port)).toEqual(expected);
    });
  }
  test("one that sends without end, of which no more is read than health can be", async () => {
    const { body, sent } = endless();
    const port = serve(() => new Response(body()));
    expect(await askHealth("127.0.0.1", port)).toEqual({ by: "other" });
    expect(sent()).toBeLessThan(16 * 1024 * 1024);
  });
  test("nobody, where the port is refused", async () => {
    expect(await askHealth("127.0.0.1", freePort())).toEqual({ by: "nobody", isRefused: true });
  });
  test("nobody, where no way leads", async () => {
    // No machine sends TCP to all of its link.
    expect(await askHealth("255.255.255.255", 80)).toEqual({ by: "nobody" });
  });
  test("one that accepts and says nothing, within a second or two", async () => {
    const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
    cleanUps.push(() => server.stop(true));
    const before = performance.now();
    expect(await askHealth("127.0.0.1", server.port)).toEqual({ by: "other" });
    expect(performance.now() - before).toBeLessThan(2_500);
  });
});

describe("from inside", () => {
  test("a status leaves, credentials do not, and a refusal's text does", async () => {
    const token = secret("token-of-the-inside");
    const port = serve((path) =>
      path === "/creds" ? Response.json({ Token: token }) : Response.json("which container?", { status: 400 }),
    );
    const answers = await askFromInside("127.0.0.1", port);
    expect(answers).toEqual({
      credentials: { status: 200 },
      metadata: { status: 400, message: "which container?" },
      server: "other",
    });
  });
  test("asks again while credentials are still fetched", async () => {
    let asked = 0;
    const port = serve(() => Response.json({ message: "still fetching" }, { status: ++asked < 4 ? 503 : 200 }));
    expect((await askFromInside("127.0.0.1", port)).credentials).toEqual({ status: 200 });
  });
  test("of a refusal that has no end, no more is read than one can be", async () => {
    const { body, sent } = endless();
    const port = serve(() => new Response(body(), { status: 404 }));
    const { credentials, metadata } = await askFromInside("127.0.0.1", port);
    expect([credentials, metadata]).toEqual([{ status: 404 }, { status: 404 }]);
    expect(sent()).toBeLessThan(16 * 1024 * 1024);
  });
  test("nobody is nothing", async () => {
    expect(await askFromInside("127.0.0.1", freePort())).toEqual({ server: "nobody" });
  });
});

describe("which process listens", () => {
  test.skipIf(process.platform !== "linux")("is this one for a port of ours, and nobody for a free one", () => {
    const port = serve(() => new Response());
    expect(listenerOf("127.0.0.1", port)).toContain(`(process ${process.pid})`);
    expect(listenerOf("127.0.0.1", freePort())).toBeUndefined();
    const six = Bun.listen({ hostname: "::1", port: 0, socket: { data: () => {} } });
    cleanUps.push(() => six.stop(true));
    expect(listenerOf("::1", six.port)).toContain(`(process ${process.pid})`);
  });
  describe("is told from the kernel's tables, of sockets that listen on that address or on all", () => {
    const proc = folder("proc");
    afterAll(proc.remove);
    for (const path of ["net", "812/fd", "813/fd", "900"]) mkdirSync(join(proc.path, path), { recursive: true });
    const row = (local: string, state: string, inode: number) =>
      `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1\n`;
    const EIGHT = "00000000";
    const four = [
      row("00000000:0050", "0A", 7),
      row("0100007F:0051", "01", 8),
      // 10.1.2.3 comes first, 127.0.0.1 after it.
      row("0302010A:0052", "0A", 9),
      row("0100007F:0052", "0A", 10),
      row("00000000:0056", "0A", 15),
    ];
    const six = [
      row(`${EIGHT.repeat(3)}01000000:0053`, "0A", 11),
      row(`${EIGHT.repeat(4)}:0054`, "0A", 12),
      row(`B80D0120${EIGHT.repeat(2)}09000000:0053`, "0A", 13),
      row(`${EIGHT.repeat(2)}FFFF00000100007F:0055`, "0A", 14),
      row(`${EIGHT.repeat(4)}:0056`, "0A", 16),
    ];
    proc.write("net/tcp", `  sl\n${four.join("")}`);
    proc.write("net/tcp6", `  sl\n${six.join("")}`);
    proc.write("812/comm", "nginx\n");
    proc.write("813/comm", "caddy\n");
    const own = (id: number, inodes: number[]) => {
      for (const inode of inodes) symlinkSync(`socket:[${inode}]`, join(proc.path, `${id}/fd/${inode}`));
    };
    own(812, [7, 8, 9, 11, 12, 14, 16]);
    own(813, [10, 13, 15]);
    const [nginx, caddy] = ["nginx (process 812)", "caddy (process 813)"];
    for (const [address, port, expected] of [
      ["127.0.0.1", 0x50, nginx],
      ["::1", 0x50, undefined],
      ["127.0.0.1", 0x51, undefined],
      ["127.0.0.1", 0x52, caddy],
      ["10.1.2.3", 0x52, nginx],
      ["10.1.2.4", 0x52, undefined],
      ["0.0.0.0", 0x52, nginx],
      ["::", 0x52, nginx],
      ["::1", 0x53, nginx],
      ["2001:db8::9", 0x53, caddy],
      ["127.0.0.1", 0x53, undefined],
      ["0.0.0.0", 0x53, undefined],
      ["10.1.2.3", 0x54, nginx],
      ["::1", 0x54, nginx],
      // The other is of IPv6 alone, or there could not be both.
      ["127.0.0.1", 0x56, caddy],
      ["::1", 0x56, nginx],
      ["127.0.0.1", 0x55, nginx],
    ] as const) {
      test(`${address}, port ${port}: ${expected ?? "nobody"}`, () =>
        expect(listenerOf(address, port, proc.path)).toBe(expected));
    }
  });
});
