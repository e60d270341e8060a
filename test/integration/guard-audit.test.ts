import { afterEach, describe, expect, test } from "bun:test";
import type { Environment } from "../../src/config/config.ts";
import { startApp } from "../support/app.ts";
import { hexId } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { DB, GATEWAY, machine, OUTSIDER, WEB } from "../support/guarded-machine.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Asks, and gives the lines that this left in the log. */
async function start(env: Environment = {}) {
  const engine = startFakeEngine(machine({ "ecs-local.role": "web" }));
  const app = startApp(engine.host, { env, guarded: {} });
  stops.push(app.stop, () => engine.stop());
  await app.inventory.ready();
  return async (path: string, from: string, headers: Record<string, string> = {}) => {
    app.flush();
    app.lines.length = 0;
    const { json } = await app.ask(path, from, { headers });
    app.flush();
    const text = app.lines.join("");
    for (const secret of [json?.SecretAccessKey, json?.Token].filter(Boolean)) expect(text).not.toContain(secret);
    return text
      .trimEnd()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  };
}
const nameOf = (name: string) => `${name}/${hexId(`container ${name}`).slice(0, 12)}`;
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/);

describe("the audit has one line for", () => {
  test("a vend: who, what, until when, and whether it was at hand", async () => {
    const ask = await start();
    const line = {
      time,
      level: "info",
      event: "credentials returned",
      caller: nameOf(DB.name),
      path: "/creds",
      role: "",
      outcome: "returned",
      expiration: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}Z$/),
    };
    expect(await ask("/creds", DB.address)).toEqual([{ ...line, cached: false }]);
    expect(await ask("/creds", DB.address)).toEqual([{ ...line, cached: true }]);
    expect(await ask("/creds", "127.0.0.1")).toEqual([{ ...line, caller: "127.0.0.1", cached: true }]);
    expect(await ask("/creds", DB.address)).toEqual([{ ...line, cached: true }]);
  });

  test("a vend to a container that is bound: the role that it was given", async () => {
    const [line, ...more] = await (await start())("/creds", WEB.address);
    expect(line).toMatchObject({ caller: nameOf(WEB.name), role: "arn:aws:iam::111111111111:role/web" });
    expect(more).toBeEmpty();
  });

  for (const [what, path, from, fields, env, headers] of [
    ["an unknown caller", "/creds", OUTSIDER, { caller: OUTSIDER, outcome: "forbidden" }, {}, {}],
    ["a browser", "/creds", DB.address, { caller: nameOf(DB.name), outcome: "forbidden" }, {}, { origin: "null" }],
    [
      "a bound container that asks for another role",
      "/role/db",
      WEB.address,
      { caller: nameOf(WEB.name), role: "db", outcome: "role-not-allowed" },
      {},
      {},
    ],
    ["a gateway meanwhile", "/creds", GATEWAY, { caller: GATEWAY, role: "", outcome: "role-not-allowed" }, {}, {}],
    [
      "a role that is not listed",
      "/role/db",
      DB.address,
      { role: "db", outcome: "role-not-allowed" },
      { ECS_LOCAL_ALLOWED_ROLES: "app" },
      {},
    ],
    [
      "who has no token",
      "/creds",
      DB.address,
      { outcome: "unauthorized" },
      { ECS_LOCAL_AUTH_TOKEN: "correct-horse" },
      {},
    ],
    [
      "a wrong token",
      "/creds",
      DB.address,
      { outcome: "forbidden" },
      { ECS_LOCAL_AUTH_TOKEN: "correct-horse" },
      { authorization: "wrong-horse" },
    ],
    ["what is not a role", "/role/a*b", DB.address, { outcome: "bad-role" }, {}, {}],
  ] as const) {
    test(`the refusal of ${what}`, async () => {
      const lines = await (await start(env))(path, from, headers as Record<string, string>);
      expect(lines).toEqual([
        expect.objectContaining({ time, level: "warning", event: "credentials refused", path, ...fields }),
      ]);
      expect(JSON.stringify(lines)).not.toMatch(/(correct|wrong)-horse/);
    });
  }

  test("a request over the rate", async () => {
    const ask = await start({ ECS_TASK_METADATA_RPS_LIMIT: "1,1" });
    await ask("/creds", DB.address);
    expect(await ask("/creds", DB.address)).toEqual([
      expect.objectContaining({ outcome: "rate-limited", path: "/creds" }),
    ]);
  });

  test("a refusal of metadata, which is another event", async () => {
    const lines = await (await start())("/v3/task", OUTSIDER);
    expect(lines).toEqual([
      expect.objectContaining({ event: "a request was refused", caller: OUTSIDER, path: "/v3/task" }),
    ]);
  });
});
