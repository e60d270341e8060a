import { afterAll, beforeAll, expect, test } from "bun:test";
import { ask } from "../support/ask.ts";
import { startBinary } from "../support/binary.ts";
import { describeEngines } from "../support/engines.ts";

describeEngines("containers that change networks while they run", ({ engine, freeSubnet }) => {
  let server: Awaited<ReturnType<typeof startBinary>>;

  beforeAll(async () => {
    server = await startBinary({ DOCKER_HOST: engine.host, ECS_LOCAL_BIND_ADDRESS: "0.0.0.0", ECS_LOCAL_OFFLINE: "1" });
  });

  afterAll(async () => {
    expect(await server.stop(), server.log()).toBe(0);
  });

  test("one that joins a network is known at its new address", async () => {
    const second = await engine.createNetwork(freeSubnet());
    const moving = await engine.run({ name: "moving", network: await engine.createNetwork(freeSubnet()) });
    // The events of its start would hide a joining that was missed: Podman reports them up to 250 ms late.
    await Bun.sleep(1_000);
    await engine.connect(second, moving);
    const answer = await ask(engine, moving, second.gateway, server.port, "/v3");
    expect(answer).toMatchObject({ status: 200, body: { DockerId: moving } });
  }, 60_000);

  test("one that left a network is not taken for the next one at its address", async () => {
    const base = freeSubnet();
    const network = await engine.createNetwork(base);
    const address = `${base}.77`;
    const leaving = await engine.run({ name: "leaving", network, address });
    await engine.connect(await engine.createNetwork(freeSubnet()), leaving);
    expect(await ask(engine, leaving, network.gateway, server.port, "/v3")).toMatchObject({ status: 200 });
    await engine.call("POST", `/networks/${network.name}/disconnect`, { Container: leaving });
    const next = await engine.run({ name: "next", network, address });
    const answer = await ask(engine, next, network.gateway, server.port, "/v3");
    expect(answer).toMatchObject({ status: 200, body: { DockerId: next } });
  }, 60_000);
});
