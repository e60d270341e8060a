import { afterAll, beforeAll, expect, test } from "bun:test";
import { startBinary } from "../support/binary.ts";
import { churn, type First } from "../support/churn.ts";
import { describeEngines, FULL } from "../support/engines.ts";

const COUNT = FULL ? 200 : 20;
/** What a machine that is shared may be slower by. */
const SLACK = 1.25;
const TIMEOUT_MS = COUNT * 5_000;

describeEngines(`${COUNT} containers that ask the moment they start`, ({ engine, freeSubnet }) => {
  const isPodman = engine.name === "podman";
  let server: Awaited<ReturnType<typeof startBinary>>;
  /** Of every container, on both networks. */
  const firstMs: number[] = [];

  beforeAll(async () => {
    server = await startBinary({ DOCKER_HOST: engine.host, ECS_LOCAL_BIND_ADDRESS: "0.0.0.0", ECS_LOCAL_OFFLINE: "1" });
    // The first contact is not a part of what is measured: Podman takes a second for it under load.
    while ((await server.get("/v3/task")).status === 503) await Bun.sleep(20);
  });

  afterAll(async () => {
    expect(await server.stop(), server.log()).toBe(0);
  });

  for (const prefixLength of [24, 29]) {
    const kind = prefixLength === 29 ? "on a /29 network, where every address is reused" : "on a network of its own";
    test(
      `each answer carries the container's own id, ${kind}`,
      async () => {
        const network = await engine.createNetwork(freeSubnet(), prefixLength);
        // What holds Podman's bridge takes one of the five addresses of a /29.
        const atATime = isPodman && prefixLength === 29 ? 3 : 4;
        // Its bridge goes with its last container, and the next has another hardware address.
        if (isPodman) await engine.run({ name: `holder-${network.name}`, network });
        const prefix = `churn${prefixLength}`;
        expectOwnIds(await churn(engine, { network, port: server.port, count: COUNT, atATime, prefix }));
      },
      TIMEOUT_MS,
    );
  }

  function expectOwnIds(containers: readonly First[]): void {
    expect(containers).toHaveLength(COUNT);
    const wrong = containers.flatMap(({ id, answers }) =>
      answers.filter(({ status, dockerId }) => status !== 200 || dockerId !== id).map((answer) => ({ id, ...answer })),
    );
    expect(wrong).toEqual([]);
    for (const { answers } of containers) expect(answers).toHaveLength(2);
    firstMs.push(...containers.map(({ answers }) => answers[0]?.ms ?? Number.NaN));
  }

  test("half of the first answers come within 50 ms, and all within a second", () => {
    const times = firstMs.toSorted((one, other) => one - other);
    const median = times[Math.floor(times.length / 2)] ?? Number.NaN;
    console.info(
      `${engine.name}: first answer ${median.toFixed(0)} ms in the median, ${times.at(-1)?.toFixed(0)} ms at most`,
    );
    expect(times).toHaveLength(2 * COUNT);
    expect(median).toBeLessThan(50 * SLACK);
    // What the shell adds to the 900 ms that the server may take: a process to ask and one to read the clock.
    expect(times.at(-1)).toBeLessThan(1_000);
  });
});
