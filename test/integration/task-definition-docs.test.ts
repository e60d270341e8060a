import { afterEach, expect, test } from "bun:test";
import { join } from "node:path";
import { startApp } from "../support/app.ts";
import { container, withComposeProject } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { folder } from "../support/folder.ts";
import { network, withNetwork } from "../support/networks.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const net = network({ name: "shop_default", subnet: "10.0.0.0/24", gateway: "10.0.0.1" });
const [WEB, DB] = ["10.0.0.2", "10.0.0.3"];

test("docs/task-definition.md: its blocks give what it says", async () => {
  const text = await Bun.file(join(import.meta.dir, "../../docs/task-definition.md")).text();
  const [definition, task, web, override, over, ...rest] = [...text.matchAll(/```json\n(.*?)```/gs)].map(
    ([, json = ""]) => json,
  );
  expect(rest).toEqual([]);
  const member = (service: string, ipv4: string) =>
    withNetwork(withComposeProject(container({ name: `shop-${service}-1` }), "shop", service), net, { ipv4 });
  const engine = startFakeEngine({ networks: [net], containers: [member("web", WEB), member("db", DB)] });
  const { write, remove } = folder("docs");
  ends.push(() => engine.stop(), remove);
  const env = { ECS_LOCAL_TASK_DEFINITION: write("shop.json", definition) };
  async function start(more: Record<string, string> = {}) {
    const app = startApp(engine.host, { env: { ...env, ...more } });
    ends.push(app.stop);
    await app.inventory.ready();
    return app.ask;
  }
  const plain = await start();
  expect((await plain("/v4/task", WEB)).json).toMatchObject(JSON.parse(task ?? ""));
  expect((await plain("/v4", WEB)).json).toMatchObject(JSON.parse(web ?? ""));
  const overridden = await start({ CONTAINER_METADATA_PATH: write("container.json", override) });
  expect((await overridden("/v4", WEB)).json).toMatchObject(JSON.parse(over ?? ""));
  const { json } = await overridden("/v4", DB);
  expect([json.Labels.stage, json.Limits.CPU]).toEqual(["dev", 2]);
});
