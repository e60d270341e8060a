import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { ask } from "../support/ask.ts";
import { startBinary } from "../support/binary.ts";
import { describeEngines, FULL } from "../support/engines.ts";
import { askDuring, askFor, expectTruthOr503, untilRight } from "../support/faults.ts";
import { createEngineProxy, type EngineProxy } from "../support/proxy.ts";
import type { Network } from "../support/real-engine.ts";

const SILENCE_MS = FULL ? 10_000 : 4_000;
const RIGHT_AGAIN_MS = 2_000;
/** Of the engines that `test/support/engines` starts, which are stopped and started by the same scripts. */
const PID_FILES: Readonly<Record<string, string>> = {
  "debian-docker": "/var/run/docker.pid",
  "moby-29": "/tmp/ecs-local-engines/moby29/pid",
  podman: "/tmp/ecs-local-engines/podman/started-pid",
};

describeEngines("a server whose contact with the engine fails", ({ engine, freeSubnet }) => {
  let proxy: EngineProxy;
  let server: Awaited<ReturnType<typeof startBinary>>;
  let network: Network;
  let steady: string;
  let serial = 0;

  const runOne = (): Promise<string> => {
    serial += 1;
    return engine.run({ name: `fault-${serial}`, network });
  };

  beforeAll(async () => {
    proxy = await createEngineProxy(engine.socket);
    server = await startBinary({ DOCKER_HOST: proxy.host, ECS_LOCAL_BIND_ADDRESS: "0.0.0.0", ECS_LOCAL_OFFLINE: "1" });
    network = await engine.createNetwork(freeSubnet());
    steady = await runOne();
    await untilRight(server, { living: [steady], gone: [] });
  }, 60_000);

  afterEach(() => proxy.release());

  afterAll(async () => {
    expect(await server.stop(), server.log()).toBe(0);
    await proxy.remove();
  });

  async function expectOwnAnswerInside(id: string): Promise<void> {
    const { status, body } = await ask(engine, id, network.gateway, server.port, "/v3");
    expect({ status, id: (body as { DockerId?: string }).DockerId }, server.log()).toEqual({ status: 200, id });
  }

  test("it is right within 2 s after its event stream was cut", async () => {
    const doomed = await runOne();
    await untilRight(server, { living: [steady, doomed], gone: [] });
    expect(proxy.cutEvents()).toBe(1);
    const cutAt = Date.now();
    expectTruthOr503(await askFor(server, steady), steady);
    expect((await untilRight(server, { living: [steady, doomed], gone: [] })) - cutAt).toBeLessThan(RIGHT_AGAIN_MS);
    // What it knew was right before it noticed the cut: its new stream may be yet to come.
    let cutAgain = proxy.cutEvents();
    while (cutAgain === 0 && Date.now() - cutAt < RIGHT_AGAIN_MS) {
      await Bun.sleep(10);
      cutAgain = proxy.cutEvents();
    }
    expect(cutAgain).toBe(1);
    const [fresh] = await Promise.all([runOne(), engine.remove(doomed)]);
    const changedAt = Date.now();
    const rightAt = await untilRight(server, { living: [steady, fresh], gone: [doomed] });
    expect(rightAt - changedAt).toBeLessThan(RIGHT_AGAIN_MS);
    await expectOwnAnswerInside(fresh);
  }, 60_000);

  test("it answers the truth or 503 while the engine is silent, and is right within 2 s after", async () => {
    const doomed = await runOne();
    await untilRight(server, { living: [steady, doomed], gone: [] });
    proxy.hold();
    await askDuring(server, [steady], 500);
    const unseen = await runOne();
    const unknown = await ask(engine, unseen, network.gateway, server.port, "/v3");
    expect(unknown).toMatchObject({ status: 503 });
    await askDuring(server, [steady, unseen], SILENCE_MS);
    await engine.remove(doomed);
    proxy.release();
    const rightAt = await untilRight(server, { living: [steady, unseen], gone: [doomed] });
    expect(rightAt - (await proxy.firstAnswer())).toBeLessThan(RIGHT_AGAIN_MS);
    await expectOwnAnswerInside(unseen);
  }, 90_000);

  test("it answers the truth or 503 while the engine is stopped, and is right within 2 s after", async () => {
    const doomed = await runOne();
    await untilRight(server, { living: [steady, doomed], gone: [] });
    await proxy.close();
    await askDuring(server, [steady], 500);
    const [unseen] = await Promise.all([runOne(), engine.remove(doomed)]);
    expect(await ask(engine, unseen, network.gateway, server.port, "/v3")).toMatchObject({ status: 503 });
    await askDuring(server, [steady, unseen], SILENCE_MS);
    await proxy.open();
    const rightAt = await untilRight(server, { living: [steady, unseen], gone: [doomed] });
    expect(rightAt - (await proxy.firstAnswer())).toBeLessThan(RIGHT_AGAIN_MS);
    await expectOwnAnswerInside(unseen);
  }, 90_000);

  const pidFile = PID_FILES[engine.name];
  if (!FULL || pidFile === undefined) return;
  test("it outlives a real stop of the engine", async () => {
    const script = resolve(import.meta.dir, "../support/engines", engine.name);
    const pid = Number(await Bun.file(pidFile).text());
    await Bun.$`${script} stop`.quiet();
    const asking = askDuring(server, [steady], 3 * SILENCE_MS).catch((error: unknown) => error);
    // Containers that ignore SIGTERM keep it for ten seconds, and a second one does not start beside it.
    while (existsSync(`/proc/${pid}`)) await Bun.sleep(100);
    const away = await asking;
    await Bun.$`${script} start`.quiet();
    expect(away).toBeUndefined();
    const fresh = await runOne();
    await untilRight(server, { living: [fresh], gone: [] });
    await expectOwnAnswerInside(fresh);
  }, 120_000);
});
