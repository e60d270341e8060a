import { describe, expect, test } from "bun:test";
import { createEngine } from "../../../src/engine/client.ts";
import { MIB, serve, serveEngine } from "./socket-server.ts";

const failure = (code: string, message: string) => expect.objectContaining({ code, message }) as Error;

describe("the version that is spoken", () => {
  for (const [newest, oldest, spoken] of [
    ["1.41", "1.12", "1.41"],
    ["1.40", "1.24", "1.40"],
    ["1.44", "1.44", "1.44"],
    ["1.55", "1.44", "1.55"],
    ["1.56", "1.44", "1.56"],
    ["1.60", "1.44", "1.56"],
    ["1.60", "1.56", "1.56"],
    ["1.100", "1.44", "1.56"],
    ["1.41", "4.0.0", "1.41"],
    ["1.41", undefined, "1.41"],
    ["1.39", "1.12", undefined],
    ["1.9", "1.1", undefined],
    ["1.60", "1.57", undefined],
    ["0.90", undefined, undefined],
  ] as const) {
    test(`with an engine of ${oldest ?? "?"} to ${newest} is ${spoken ?? "none"}`, async () => {
      await using served = serve(() => Response.json({ ApiVersion: newest, MinAPIVersion: oldest }));
      const { endpoint, target, paths } = served;
      const connecting = createEngine(endpoint, undefined);
      if (spoken === undefined) {
        const message = `The engine at ${target} speaks API ${oldest ?? "?"} to ${newest}, and this program 1.40 to 1.56`;
        await expect(connecting).rejects.toThrow(failure("engine-unavailable", message));
        return;
      }
      const engine = await connecting;
      await engine.get("/networks");
      expect([engine.apiVersion, engine.target, paths]).toEqual([spoken, target, ["/version", `/v${spoken}/networks`]]);
    });
  }

  test("is the given one, whatever the engine offers", async () => {
    await using served = serve(() => Response.json({ ApiVersion: "1.41" }));
    const engine = await createEngine(served.endpoint, "1.30");
    await engine.get("/containers/json?all=1");
    expect([engine.apiVersion, served.paths.at(-1)]).toEqual(["1.30", "/v1.30/containers/json?all=1"]);
  });

  test("is none with an engine that says nothing we know", async () => {
    await using served = serve(() => Response.json({ version: "1" }));
    await expect(createEngine(served.endpoint, undefined)).rejects.toThrow(
      failure("engine-bad-answer", expect.stringContaining("its version is not understood: /ApiVersion")),
    );
  });
});

describe("events are late", () => {
  for (const [title, components, late] of [
    ["with Podman", [{ Name: "Podman Engine" }, { Name: "Conmon" }], true],
    ["not with Docker", [{ Name: "Engine" }, { Name: "containerd" }], false],
    ["not with an engine that names no components", undefined, false],
  ] as const) {
    test(title, async () => {
      await using served = serve(() => Response.json({ ApiVersion: "1.41", Components: components }));
      expect((await createEngine(served.endpoint, undefined)).needsCatchUp).toBe(late);
    });
  }
});

describe("an answer", () => {
  for (const [status, path, body, code] of [
    [404, "/containers/4f0c/json", '{"message":"No such container: 4f0c"}', "container-unknown"],
    [500, "/containers/4f0c/json", '{"cause":"no such container"}', "container-unknown"],
    [500, "/containers/4f0c/json", "layer not known", "engine-refused"],
    [404, "/networks", "page not found", "engine-refused"],
    [404, "/containers/json?all=1", "page not found", "engine-refused"],
    [500, "/containers/json?all=1", "no such container", "engine-refused"],
    [400, "/networks", '{"message":"client version 1.47 is too new"}', "engine-refused"],
    [301, "/networks", "", "engine-refused"],
  ] as const) {
    test(`of ${status} for ${path} (${body}) is ${code}, and says what was asked`, async () => {
      await using served = await serveEngine(() => new Response(body, { status }));
      const message = `The engine at ${served.target} answered ${status} for /v1.47${path}: ${body}`;
      await expect(served.engine.get(path)).rejects.toThrow(failure(code, message));
    });
  }

  test("of an error is cut to 300 characters", async () => {
    await using served = await serveEngine(() => new Response("x".repeat(1000), { status: 500 }));
    await expect(served.engine.get("/x")).rejects.toThrow(/: x{300}$/);
  });

  test("of 32 MiB is taken, and of a byte more refused", async () => {
    let size = 32 * MIB;
    await using served = await serveEngine(() => new Response(new Uint8Array(size).fill(32)));
    expect(await served.engine.get("/x")).toHaveLength(size);
    size += 1;
    const message = `The engine at ${served.target} sent an answer of more than 32 MiB`;
    await expect(served.engine.get("/x")).rejects.toThrow(failure("engine-bad-answer", message));
  });

  test("of a ping is waited for, and need not have a version", async () => {
    await using served = await serveEngine(() => new Response("OK"));
    await served.engine.ping(1000);
    expect(served.paths.at(-1)).toBe("/_ping");
  });
});
