import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startApp } from "../support/app.ts";
import { container, withComposeProject } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { folder } from "../support/folder.ts";

const web = withComposeProject(container({ name: "shop-web-1" }), "shop", "web");
const blog = withComposeProject(container({ name: "blog-web-1" }), "blog", "web");
const files = folder("ecs-local-introspection");
const engine = startFakeEngine({ containers: [web, blog] });
let app: ReturnType<typeof startApp>;
beforeAll(async () => {
  app = startApp(engine.host);
  await app.inventory.ready();
});
afterAll(async () => {
  app.stop();
  await engine.stop();
  files.remove();
});

describe("a user's JSON that puts no containers where they belong", () => {
  for (const Containers of [{}, "x", [null], [{ DockerId: { toString: null } }]]) {
    test(`${JSON.stringify(Containers)} leaves tasks without any, as their documents are`, async () => {
      const other = startApp(engine.host, { env: { TASK_METADATA_PATH: files.write("task.json", { Containers }) } });
      try {
        await other.inventory.ready();
        expect((await other.ask("/v4/task")).json.Containers).toEqual(Containers);
        const { status, text } = await other.ask("/v1/tasks");
        expect([status, text]).toEqual([200, '{"Tasks":[]}']);
        expect((await other.ask(`/v1/tasks?dockerid=${web.Id}`)).status).toBe(404);
        expect((await other.ask("/api/shop-web-1/task-protection/v1/state")).status).toBe(200);
      } finally {
        other.stop();
      }
    });
  }
});

test("slashes that are doubled or at the end count for nothing, in errors too", async () => {
  const { text } = await app.ask("/v1/tasks");
  for (const path of ["/v1//tasks", "/v1/tasks/", "/v1//tasks//"]) {
    expect((await app.ask(path)).text, path).toBe(text);
    expect((await app.ask(`${path}?dockerid=none`)).json.Containers, path).toBeNull();
  }
  expect((await app.ask("/v1//metadata")).json.Cluster).toBe("ecs-local-cluster");
});

test("an empty id is the beginning of every container's: the agent's answer where there is but one, else an error", async () => {
  expect((await app.ask("/v1/tasks?dockerid=")).status).toBe(400);
  const alone = startFakeEngine({ containers: [web] });
  const other = startApp(alone.host);
  try {
    await other.inventory.ready();
    expect((await other.ask("/v1/tasks?dockerid=")).json.Containers).toMatchObject([{ DockerId: web.Id }]);
  } finally {
    other.stop();
    await alone.stop();
  }
});
