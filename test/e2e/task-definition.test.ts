import { afterAll, beforeAll, expect, test } from "bun:test";
import { isInContainer } from "../../src/engine/self.ts";
import { ask } from "../support/ask.ts";
import { startBinary } from "../support/binary.ts";
import { describeEngines } from "../support/engines.ts";
import { folder } from "../support/folder.ts";
import { startProject } from "../support/projects.ts";
import { waitForLine } from "../support/wait-for-line.ts";

const ROLE = "arn:aws:iam::111122223333:role/tdef";
const SHOP = {
  family: "shop",
  cpu: "256",
  taskRoleArn: ROLE,
  containerDefinitions: [{ name: "web", memory: 256, healthCheck: { command: ["CMD", "true"] } }, { name: "db" }],
};

describeEngines("a task definition", ({ engine, freeSubnet }) => {
  let files: ReturnType<typeof folder>;
  let server: Awaited<ReturnType<typeof startBinary>>;
  let get: (id: string | undefined, path: string) => Promise<{ status: number; body: unknown }>;
  let [web, other] = ["", ""];

  beforeAll(async () => {
    files = folder("task-definition");
    server = await startBinary({
      DOCKER_HOST: engine.host,
      ECS_LOCAL_BIND_ADDRESS: "0.0.0.0",
      ECS_LOCAL_OFFLINE: "1",
      ECS_LOCAL_LOG_FORMAT: "json",
      ECS_LOCAL_TASK_DEFINITION: files.write("shop.json", SHOP),
      ECS_LOCAL_USE_TASK_ROLE: "1",
    });
    const network = await engine.createNetwork(freeSubnet());
    const shop = await startProject(engine, "tdef-shop", network, ["web", "db"]);
    const blog = await startProject(engine, "tdef-blog", network, ["page"]);
    [web, other] = [shop.ids[0] ?? "", blog.ids[0] ?? ""];
    get = (id, path) => ask(engine, id ?? "", network.gateway, server.port, path);
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    files.remove();
    await engine.cleanUp();
  }, 60_000);

  test("is the metadata and the role of the project that it names, and of no other", async () => {
    expect((await get(web, "/v4/task")).body).toMatchObject({
      Family: "shop",
      Limits: { CPU: 0.25 },
      Containers: [{ Name: "db" }, { Name: "web", Limits: { CPU: 2, Memory: 256 }, Health: {} }],
    });
    expect((await get(web, "/creds")).body).toMatchObject({ RoleArn: ROLE });
    expect((await get(other, "/v4/task")).body).toMatchObject({ Family: "esc-local-task-definition" });
    expect(await get(other, "/creds")).toMatchObject({ status: 400, body: { code: "NoTaskRole" } });
    // Where the server runs in a container, another may share its loopback.
    const own = isInContainer() ? { code: "UnknownCaller" } : { RoleArn: "" };
    expect(await (await server.get("/creds")).json()).toMatchObject(own);
  }, 60_000);

  test("is used again when its file has changed", async () => {
    files.write("shop.json", { ...SHOP, family: "shop2", taskRoleArn: "" });
    await waitForLine(server.log, "a changed file is used");
    expect((await get(web, "/v4/task")).body).toMatchObject({ Family: "shop2" });
    expect(await get(web, "/creds")).toMatchObject({ status: 400, body: { code: "NoTaskRole" } });
  }, 60_000);
});
