import { afterEach, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startFakeEngine } from "../support/fake-engine.ts";
import { network } from "../support/networks.ts";

const BINARY = join(import.meta.dir, "../../dist/ecs-local-endpoints");
const shop = network({ name: "shop", subnet: "10.72.1.0/24", gateway: "10.72.1.1" });

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

/** An engine that has the image, and never answers what makes a container, nor what removes one unless it is to. */
function startBusy(removes: boolean) {
  const fake = startFakeEngine({ networks: [shop] });
  const unix = join(tmpdir(), `busy-engine-${process.pid}-${Math.random().toString(36).slice(2)}.sock`);
  const asked = { create: Promise.withResolvers<void>(), remove: Promise.withResolvers<void>() };
  const never = () => new Promise<Response>(() => {});
  const forever: object = { idleTimeout: 0 };
  const server = Bun.serve({
    unix,
    ...forever,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (pathname.includes("/images/")) return Response.json({ Config: { Entrypoint: ["/ecs-local-endpoints"] } });
      if (pathname.endsWith("/containers/create")) {
        asked.create.resolve();
        return never();
      }
      if (request.method === "DELETE") {
        asked.remove.resolve();
        return removes ? new Response(null, { status: 204 }) : never();
      }
      return fetch(`http://engine${pathname}${search}`, { unix: fake.socketPath });
    },
  });
  cleanUps.push(async () => {
    await server.stop(true);
    await fake.stop();
    rmSync(unix, { force: true });
  });
  return { host: `unix://${unix}`, asked };
}

function startDoctor(host: string) {
  const command = [BINARY, "doctor", "--offline", "--start-containers"];
  const env = { PATH: "/usr/bin:/bin", HOME: "/nonexistent", DOCKER_HOST: host };
  const run = Bun.spawn(command, { env, stdout: "pipe", stderr: "pipe" });
  cleanUps.push(() => run.kill("SIGKILL"));
  return run;
}

// A step of an engine has 10 s, so that what ends sooner was ended.
describe("doctor beside an engine that is busy", () => {
  for (const [name, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    test(`is ended at once by ${name}, and has the container removed`, async () => {
      const { host, asked } = startBusy(true);
      const run = startDoctor(host);
      await asked.create.promise;
      const before = performance.now();
      run.kill(name);
      expect(await run.exited).toBe(code);
      expect(performance.now() - before).toBeLessThan(6_000);
      await asked.remove.promise;
      expect([await run.stdout.text(), await run.stderr.text()]).toEqual(["", ""]);
    }, 30_000);
  }

  test("is ended within some seconds where the engine does not remove the container", async () => {
    const { host, asked } = startBusy(false);
    const run = startDoctor(host);
    await asked.create.promise;
    const before = performance.now();
    run.kill("SIGINT");
    expect(await run.exited).toBe(130);
    expect(performance.now() - before).toBeLessThan(6_000);
  }, 30_000);

  test("is ended by a second signal without waiting for the engine", async () => {
    const { host, asked } = startBusy(false);
    const run = startDoctor(host);
    await asked.create.promise;
    run.kill("SIGINT");
    await asked.remove.promise;
    run.kill("SIGTERM");
    // The code is that of the signal that ended it: by waiting it would be the first's.
    expect(await run.exited).toBe(143);
  }, 30_000);
});
