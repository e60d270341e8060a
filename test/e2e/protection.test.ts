import { afterAll, beforeAll, expect, test } from "bun:test";
import { ask, put } from "../support/ask.ts";
import { startBinary } from "../support/binary.ts";
import { describeEngines } from "../support/engines.ts";
import { type Project, startProject } from "../support/projects.ts";
import type { Network } from "../support/real-engine.ts";

const PATH = "/api/task-protection/v1/state";
const ON = '{"ProtectionEnabled":true,"ExpiresInMinutes":30}';

describeEngines("task protection", ({ engine, freeSubnet }) => {
  let server: Awaited<ReturnType<typeof startBinary>>;
  let shop: Project & { readonly network: Network };
  let blog: Project & { readonly network: Network };

  beforeAll(async () => {
    server = await startBinary({ DOCKER_HOST: engine.host, ECS_LOCAL_BIND_ADDRESS: "0.0.0.0", ECS_LOCAL_OFFLINE: "1" });
    const [one, other] = [await engine.createNetwork(freeSubnet()), await engine.createNetwork(freeSubnet())];
    shop = { ...(await startProject(engine, "prot-shop", one, ["web", "db"])), network: one };
    blog = { ...(await startProject(engine, "prot-blog", other, ["web"])), network: other };
    // What a container is told right after its start is another test's: Podman reports starts up to 250 ms late.
    await Bun.sleep(1_000);
  }, 60_000);
  afterAll(async () => {
    expect(await server.stop(), server.log()).toBe(0);
  });

  test("that a container sets is that of its project's other members, and of no other", async () => {
    const [web = "", db = ""] = shop.ids;
    const [other = ""] = blog.ids;
    const from = (id: string) => (id === other ? blog : shop).network.gateway;
    const stateOf = async (id: string) => (await ask(engine, id, from(id), server.port, PATH)).body;
    const putFrom = (id: string, path: string) => put(engine, id, from(id), server.port, path, ON);

    const set = await putFrom(web, PATH);
    expect(set).toMatchObject({ status: 200, body: { protection: { ProtectionEnabled: true } } });
    expect(await stateOf(db)).toEqual(set.body);
    expect(await stateOf(other)).toMatchObject({ protection: { ProtectionEnabled: false, ExpirationDate: null } });

    const foreign = await putFrom(db, "/api/prot-blog-web-1/task-protection/v1/state");
    expect(foreign).toMatchObject({ status: 403, body: { error: { Code: "AccessDeniedException" } } });
    expect(await stateOf(other)).toMatchObject({ protection: { ProtectionEnabled: false } });
    expect(await putFrom(other, "/api/prot-blog-web-1/task-protection/v1/state")).toMatchObject({ status: 200 });
  }, 60_000);

  test("introspection finds a container by its short id", async () => {
    const [web = ""] = shop.ids;
    const path = `/v1/tasks?dockerid=${web.slice(0, 12)}`;
    const { status, body } = await ask(engine, web, shop.network.gateway, server.port, path);
    expect(status).toBe(200);
    const { Containers } = body as { Containers: { DockerId: string }[] };
    expect(Containers.map(({ DockerId }) => DockerId).sort()).toEqual([...shop.ids].sort());
  }, 60_000);
});
