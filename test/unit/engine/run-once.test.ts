import { afterEach, describe, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ASKER_LABEL, createRunner } from "../../../src/engine/run-once.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

const frame = (text: string) => Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)]);

/** The part of an engine that starts containers, with what is to differ from one that works. */
function start(answers: Readonly<Record<string, () => Response | Promise<Response>>> = {}, ended?: AbortSignal) {
  const unix = join(tmpdir(), `run-once-${process.pid}-${Math.random().toString(36).slice(2)}.sock`);
  const asked: string[] = [];
  const bodies: unknown[] = [];
  const server = Bun.serve({
    unix,
    async fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      const path = `${request.method} ${pathname.replace("/v1.41", "").replace(/\/ecs-local-doctor-[\w-]+/, "/NAME")}`;
      asked.push(path);
      const text = await request.text();
      if (text !== "") bodies.push(JSON.parse(text));
      const answer = answers[path];
      if (answer) return answer();
      if (path === "POST /containers/create") return Response.json({ Id: "c1", name: searchParams.get("name") });
      if (path === "GET /containers/c1/logs") return new Response(frame("said\n"));
      return Response.json({});
    },
  });
  cleanUps.push(() => server.stop(true));
  return {
    asked,
    bodies,
    runner: createRunner({ target: `unix://${unix}`, base: "http://e", init: { unix } }, "1.41", ended),
  };
}

const WHAT = { image: "app", command: ["ask"], network: "shop", runMs: 200 };

describe("a container that runs once", () => {
  test("is made on the network, labelled and bounded, read and removed", async () => {
    const { asked, bodies, runner } = start();
    expect(await runner.run(WHAT)).toBe("said\n");
    expect(asked).toEqual([
      "POST /containers/create",
      "POST /containers/c1/start",
      "POST /containers/c1/wait",
      "GET /containers/c1/logs",
      "DELETE /containers/NAME",
    ]);
    expect(bodies).toMatchObject([
      { Image: "app", Cmd: ["ask"], Labels: { [ASKER_LABEL]: "asker" }, HostConfig: { NetworkMode: "shop" } },
    ]);
    expect(bodies[0]).not.toHaveProperty("Entrypoint");
  });
  test("is removed when it does not end, and what it wrote is read", async () => {
    const { asked, runner } = start({ "POST /containers/c1/wait": () => new Promise(() => {}) });
    const before = performance.now();
    expect(await runner.run(WHAT)).toBe("said\n");
    expect(performance.now() - before).toBeLessThan(1_500);
    expect(asked.at(-1)).toBe("DELETE /containers/NAME");
  });
  for (const path of ["POST /containers/create", "POST /containers/c1/start"]) {
    test(`is removed when the engine refuses ${path}, which is said`, async () => {
      const { asked, runner } = start({ [path]: () => Response.json({ message: "no sh" }, { status: 400 }) });
      const error = (await runner.run(WHAT).catch((caught: unknown) => caught)) as Error & { code: string };
      expect([error.code, error.message]).toEqual(["engine-refused", expect.stringContaining("no sh")]);
      expect(asked.at(-1)).toBe("DELETE /containers/NAME");
    });
  }
  test("is removed at once where it is ended, and none is started after that", async () => {
    const ended = new AbortController();
    const waiting = Promise.withResolvers<void>();
    const wait = () => {
      waiting.resolve();
      return new Promise<Response>(() => {});
    };
    const { asked, runner } = start({ "POST /containers/c1/wait": wait }, ended.signal);
    const before = performance.now();
    const run = runner.run({ ...WHAT, runMs: 10_000 });
    await waiting.promise;
    ended.abort();
    await expect(run).rejects.toThrow();
    expect(performance.now() - before).toBeLessThan(1_500);
    expect(asked.splice(0).at(-1)).toBe("DELETE /containers/NAME");
    await expect(runner.run(WHAT)).rejects.toThrow();
    expect(asked).toEqual([]);
  });
  test("is not started where it is ended while it is made, and is removed once it is", async () => {
    const ended = new AbortController();
    const make = async () => {
      ended.abort();
      await Bun.sleep(50);
      return Response.json({ Id: "c1" });
    };
    const { asked, runner } = start({ "POST /containers/create": make }, ended.signal);
    await expect(runner.run(WHAT)).rejects.toThrow();
    expect(asked).toEqual(["POST /containers/create", "DELETE /containers/NAME"]);
  });
  for (const path of ["POST /containers/create", "POST /containers/c1/start"]) {
    test(`is removed at once where it is ended while ${path} has no answer`, async () => {
      const ended = new AbortController();
      const hang = () => {
        ended.abort();
        return new Promise<Response>(() => {});
      };
      const { asked, runner } = start({ [path]: hang }, ended.signal);
      const before = performance.now();
      await expect(runner.run(WHAT)).rejects.toThrow();
      expect(performance.now() - before).toBeLessThan(5_000);
      expect(asked.slice(-2)).toEqual([path, "DELETE /containers/NAME"]);
    }, 15_000);
  }
  test("is removed where it comes only after it was ended", async () => {
    const ended = new AbortController();
    const make = () => {
      ended.abort();
      return new Promise<Response>(() => {});
    };
    let tries = 0;
    const remove = () => Response.json({}, { status: ++tries < 3 ? 404 : 204 });
    const { asked, runner } = start(
      { "POST /containers/create": make, "DELETE /containers/NAME": remove },
      ended.signal,
    );
    await expect(runner.run(WHAT)).rejects.toThrow();
    expect(asked).toEqual(["POST /containers/create", ...Array(3).fill("DELETE /containers/NAME")]);
  });
  test("is waited for no longer than some seconds where it is ended and the engine does not remove it", async () => {
    const ended = new AbortController();
    const hang = () => {
      ended.abort();
      return new Promise<Response>(() => {});
    };
    const { runner } = start({ "DELETE /containers/NAME": hang }, ended.signal);
    const before = performance.now();
    expect(await runner.run(WHAT)).toBe("said\n");
    expect(performance.now() - before).toBeWithin(1_500, 6_000);
  }, 15_000);
  test("of an image that is not there is told from one that has no entry point", async () => {
    const gone = start({ "GET /images/a/b:1/json": () => Response.json({ message: "no" }, { status: 404 }) });
    expect(await gone.runner.entrypointOf("a/b:1")).toBeUndefined();
    const bare = start({ "GET /images/a/b:1/json": () => Response.json({ Config: { Entrypoint: null } }) });
    expect(await bare.runner.entrypointOf("a/b:1")).toEqual([]);
  });
  test("that a killed run left is removed by its label, and none that another has just made", async () => {
    const now = Math.floor(Date.now() / 1_000);
    const list = [
      { Id: "left", Created: now - 90 },
      { Id: "anothers", Created: now - 20 },
    ];
    const { asked, runner } = start({ "GET /containers/json": () => Response.json(list) });
    await runner.removeLeft();
    expect(asked).toEqual(["GET /containers/json", "DELETE /containers/left"]);
  });
});
