import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { CONSUMERS } from "../contract/consumers.ts";
import { MACHINE, NEWSFEED, SHOP_DB, SHOP_WEB } from "../contract/machine.ts";
import { startApp } from "../support/app.ts";
import { maybe, misfits, parseExactly, time, unsigned } from "../support/consumers/fields.ts";
import { startFakeEngine } from "../support/fake-engine.ts";

const AWSLOGS = { "awslogs-group": "/ecs/shop", "awslogs-region": "us-west-2", "awslogs-stream": "ecs/web/0f9de17a" };
/** So that the member of the project that has ended is listed still. */
const NOW = Date.parse("2026-01-02T05:00:00Z");

/** Of an engine that leaves out what clients read without asking whether it is there. */
const FRAMES = { cgroup: 2, sparse: true } as const;

/** One has all that a container can have, one little more than its project, one not even that. */
const CALLERS = [SHOP_WEB, SHOP_DB, NEWSFEED];

const FACTS: Readonly<Record<string, object>> = {
  [SHOP_WEB.id]: { LogConfig: { Type: "awslogs", Config: AWSLOGS } },
  // A third of a CPU is not a whole number of units.
  [SHOP_DB.id]: { NanoCpus: 333_000_000 },
};
const containers = MACHINE.containers.map((document) => ({
  ...document,
  HostConfig: { ...document.HostConfig, ...FACTS[document.Id] },
}));

for (const { name, asks, env = {} } of CONSUMERS) {
  describe(`${name} has what it needs`, () => {
    let engine: ReturnType<typeof startFakeEngine>;
    let app: ReturnType<typeof startApp>;

    beforeAll(async () => {
      engine = startFakeEngine({ ...MACHINE, containers, statsIntervalMs: 20, stats: FRAMES });
      app = startApp(engine.host, { env, now: () => NOW });
      await app.inventory.ready();
      // V4 does not wait for samples, V3 does, for two.
      for (const { address } of CALLERS) await app.ask("/v3/task/stats", address);
    });
    afterAll(async () => {
      app.stop();
      await engine.stop();
    });

    for (const [path, fields] of Object.entries(asks)) {
      test(`of ${path}`, async () => {
        for (const caller of CALLERS) {
          const { status, type, text } = await app.ask(path, caller.address);
          expect({ status, type, text }).toMatchObject({ status: 200, type: "application/json" });
          expect(misfits(parseExactly(text), fields), `asked by ${caller.name}`).toEqual([]);
        }
      });
    }
  });
}

test("a field that is missing, null, empty, a fraction or too large is found", () => {
  const fields = {
    "Containers/*/Limits/CPU": unsigned,
    "Containers/*/FinishedAt": maybe(time),
    "Ports/*?/HostPort": unsigned,
  };
  const found = (document: string) => misfits(parseExactly(document), fields).map((line) => line.split(",")[0]);
  const container = (more: string) => `{"Containers":[{"Limits":{"CPU":2}},${more}]}`;
  expect(found(container('{"Limits":{"CPU":18446744073709551615},"FinishedAt":"2026-01-02T03:04:05Z"}'))).toEqual([]);
  expect(found('{"Containers":[]}')).toEqual([
    "Containers/*/Limits/CPU is nowhere",
    "Containers/*/FinishedAt is nowhere",
  ]);
  expect(found(container('{"Limits":{"CPU":0.3}}'))).toEqual(["Containers/1/Limits/CPU is 0.3"]);
  expect(found(container("{}"))).toEqual(["Containers/1/Limits/CPU is absent"]);
  expect(found(container('{"Limits":{"CPU":18446744073709552000},"FinishedAt":""}'))).toEqual([
    "Containers/1/Limits/CPU is 18446744073709552000",
    'Containers/1/FinishedAt is ""',
  ]);
  expect(found('{"Containers":[{"Limits":{"CPU":2},"FinishedAt":null}],"Ports":[{}]}')).toEqual([
    "Containers/0/FinishedAt is null",
    "Ports/0/HostPort is absent",
  ]);
});
