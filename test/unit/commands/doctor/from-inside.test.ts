import { afterEach, describe, expect, test } from "bun:test";
import { askFromInside, checkImage, createInside } from "../../../../src/commands/doctor/from-inside.ts";
import { askHealth } from "../../../../src/commands/health-client.ts";
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
  test("no server, if the port is refused", async () => {
    expect(await askHealth("127.0.0.1", freePort())).toEqual({ by: "none", isRefused: true });
  });
  test("no server, if there is no route", async () => {
    // No machine sends TCP to all of its link.
    expect(await askHealth("255.255.255.255", 80)).toEqual({ by: "none" });
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
  test("no server is not a finding", async () => {
    expect(await askFromInside("127.0.0.1", freePort())).toEqual({ server: "none" });
  });
});

describe("--image", () => {
  const DIGEST = `sha256:${"0a".repeat(32)}`;
  for (const image of ["a", "ecs:dev", "localhost:5000/a/b_c:1.2-x", `r.example/a@${DIGEST}`, DIGEST, "0a1b2c3d4e5f"]) {
    test(`${image} is accepted`, () => expect(() => checkImage(image, true)).not.toThrow());
  }
  for (const image of ["", "../../containers/json?x", "a/../b", "a?x", "a b", "a/", "/a", "a%2f", "a\x1b[31m"]) {
    test(`${JSON.stringify(image)} is refused`, () => {
      expect(() => checkImage(image, true)).toThrow(expect.objectContaining({ code: "bad-configuration" }) as Error);
    });
  }
  test("without --start-containers is refused", () => {
    expect(() => checkImage("ecs:dev", false)).toThrow(expect.objectContaining({ code: "bad-configuration" }) as Error);
  });
});

describe("the container that asks", () => {
  /** An engine whose image has an entry point, and whose containers print a text. */
  async function inside(entrypoint: string[] | undefined, output = "", create = 201) {
    const frame = Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, output.length]), Buffer.from(output)]);
    const asked: string[] = [];
    const engine = Bun.serve({
      port: 0,
      fetch: ({ method, url }) => {
        const path = new URL(url).pathname.replace(/^\/v1.41/, "");
        asked.push(`${method} ${path.replace(/ecs-local-doctor-.*/, "NAME")}`);
        if (path.startsWith("/images/")) {
          return entrypoint ? Response.json({ Config: { Entrypoint: entrypoint } }) : new Response("", { status: 404 });
        }
        if (path.endsWith("/create")) return Response.json({ Id: "c1" }, { status: create });
        if (path.endsWith("/attach")) return new Response(frame);
        return new Response(null, { status: 204 });
      },
    });
    cleanUps.push(() => engine.stop(true));
    const endpoint = { target: "tcp://fake", base: `http://127.0.0.1:${engine.port}`, init: {} };
    const ended = new AbortController().signal;
    const found = await createInside({ endpoint, apiVersion: "1.41", image: "a:1", cli: "podman", ended })("x$(y)");
    return { found, asked };
  }
  const BY_HAND = "run it to see why: podman run --rm --network 'x$(y)' a:1 doctor --from-inside";

  test("is created, attached to, started and removed", async () => {
    const { found, asked } = await inside(["/ecs-local-endpoints"], '{"credentials":{"status":403,"message":"no"}}');
    expect(found).toEqual({ kind: "asked", credentials: { status: 403, message: "no" }, metadata: undefined });
    expect(asked.slice(1)).toEqual([
      "POST /containers/create",
      "POST /containers/c1/attach",
      "POST /containers/c1/start",
      "DELETE /containers/NAME",
    ]);
  });
  for (const [title, given, why, remedy] of [
    [
      "an image that the engine does not have",
      [undefined],
      "the engine has no image a:1",
      "build it with ./scripts/im",
    ],
    ["another image", [["sh"]], "the image a:1 is not ecs-local-endpoints", "name the server's image: --image NAME"],
    ["an answer that is not JSON", [["/ecs-local-endpoints"], "panic"], "the image a:1 printed no answer", BY_HAND],
    ["an answer that is cut off", [["/ecs-local-endpoints"], '{"creden'], "printed no answer", BY_HAND],
    ["an engine that refuses", [["/ecs-local-endpoints"], "", 500], "answered 500 for /containers/create", BY_HAND],
  ] as readonly (readonly [string, Parameters<typeof inside>, string, string])[]) {
    test(`says why it could not ask, with ${title}`, async () => {
      const { found } = await inside(...given);
      expect(found).toMatchObject({ kind: "unasked", why: expect.stringContaining(why) });
      expect(found.kind === "unasked" && found.remedy).toStartWith(remedy);
    });
  }
});
