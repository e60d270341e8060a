import { afterEach, describe, expect, test } from "bun:test";
import { version } from "../../package.json";
import { eventually, startApp } from "../support/app.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { GATEWAY, LAN_NEIGHBOUR, machine, OUTSIDER, WEB } from "../support/guarded-machine.ts";

const OWN = "192.0.2.7";
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(env = {}) {
  const engine = startFakeEngine(machine());
  const app = startApp(engine.host, { env, guarded: { own: [OWN] } });
  stops.push(app.stop, () => engine.stop());
  await eventually(() => app.inventory.isCurrent(), 2_000);
  return { engine, app };
}

describe("/health", () => {
  for (const [who, address] of [
    ["loopback", "127.0.0.1"],
    ["an address of our own", OWN],
    ["a container", WEB.address],
    ["a container on a socket of both families", `::ffff:${WEB.address}`],
    ["a published port", GATEWAY],
  ] as const) {
    test(`tells ${who} the version, and how engine and identity stand`, async () => {
      const { app } = await start();
      const unasked = { status: "ok", version, engine: "connected", identity: { status: "unknown" } };
      expect((await app.ask("/health", address)).json).toEqual(unasked);
      const { Expiration } = (await app.ask("/creds")).json;
      const { status, type, json } = await app.ask("/health", address);
      expect([status, type]).toEqual([200, "application/json"]);
      expect(json).toEqual({ ...unasked, identity: { status: "ok", expiration: Expiration } });
    });
  }
  for (const [who, address, env] of [
    ["an unknown caller", OUTSIDER, {}],
    ["a neighbour on the LAN of a macvlan", LAN_NEIGHBOUR, {}],
    ["a published port that is refused", GATEWAY, { ECS_LOCAL_REFUSE_GATEWAY: "1" }],
  ] as const) {
    test(`tells ${who} that we answer, and nothing else`, async () => {
      const { app } = await start(env);
      await app.ask("/creds");
      expect((await app.ask("/health", address)).text).toBe('{"status":"ok"}');
    });
  }
  test("says that an engine is lost, not where it was, and goes on to be well", async () => {
    const { app, engine } = await start();
    await engine.stop();
    await eventually(async () => (await app.ask("/health")).json.engine === "unavailable", 2_000);
    const { status, text } = await app.ask("/health");
    expect(status).toBe(200);
    expect(text).not.toContain("/");
  });
});
