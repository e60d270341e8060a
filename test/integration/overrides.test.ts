import { afterEach, describe, expect, test } from "bun:test";
import { startApp } from "../support/app.ts";
import { container, withComposeProject, withLabels } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { folder } from "../support/folder.ts";
import { network, withNetwork } from "../support/networks.ts";
import { logOf, waitForLine } from "../support/wait-for-line.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const net = network({ name: "shop_default", subnet: "10.0.0.0/24", gateway: "10.0.0.1" });
const [WEB, DB] = ["10.0.0.2", "10.0.0.3"];
const NAMED = { "com.amazonaws.ecs.container-name": "front" };

async function start(files: { task?: unknown; container?: unknown }) {
  const member = (service: string) => withComposeProject(container({ name: `shop-${service}-1` }), "shop", service);
  const engine = startFakeEngine({
    networks: [net],
    containers: [
      withNetwork(withLabels(member("web"), NAMED), net, { ipv4: WEB }),
      withNetwork(member("db"), net, { ipv4: DB }),
    ],
  });
  const { write, remove } = folder("overrides");
  const env: Record<string, string> = {};
  if (files.task !== undefined) env.TASK_METADATA_PATH = write("task.json", files.task);
  if (files.container !== undefined) env.CONTAINER_METADATA_PATH = write("container.json", files.container);
  const app = startApp(engine.host, { env });
  ends.push(() => engine.stop(), app.stop, remove);
  await app.inventory.ready();
  return { ...app, log: () => logOf(app), write };
}

test("an override is in every version, and of a container in its task's document too", async () => {
  const { ask } = await start({
    task: { Cluster: "mine", TaskTags: { team: "a" } },
    container: { Labels: { stage: "dev" }, Extra: [1] },
  });
  for (const path of ["/v2/metadata", "/v3/task", "/v4/task"]) {
    const { json } = await ask(path, WEB);
    expect(json).toMatchObject({ Cluster: "mine", TaskTags: { team: "a" }, Family: "esc-local-task-definition" });
    for (const each of json.Containers) expect(each).toMatchObject({ Labels: { stage: "dev" }, Extra: [1] });
  }
  const { json } = await ask("/v3", WEB);
  expect(json).toMatchObject({ DockerName: "shop-web-1", Labels: { stage: "dev", ...NAMED }, Extra: [1] });
});

describe("V4 asked for at V3's address, with the file of V4's fields that this took", () => {
  const fields = {
    LogDriver: "awslogs",
    LogOptions: { "awslogs-group": "/ecs/shop" },
    ContainerARN: "arn:aws:ecs:us-west-2:111122223333:container/x",
    Networks: [{ NetworkMode: "awsvpc", IPv4Addresses: ["10.0.2.100"], SubnetGatewayIpv4Address: "10.0.2.1/24" }],
  };
  const ofTask = { LaunchType: "FARGATE", AvailabilityZone: "us-west-2d", ClockDrift: { ClockErrorBound: 0.4 } };
  test("has them in the container's document and the task's", async () => {
    const { ask } = await start({ task: ofTask, container: fields });
    expect((await ask("/v3", WEB)).json).toMatchObject({ DockerName: "shop-web-1", ...fields });
    const { json } = await ask("/v3/containers/shop-web-1/task", "127.0.0.1");
    expect(json).toMatchObject({ ...ofTask, TaskARN: expect.any(String) });
    expect(json.Containers).toHaveLength(2);
    for (const each of json.Containers) expect(each).toMatchObject(fields);
  });
  test("and has none of them without the files", async () => {
    const { ask } = await start({});
    expect((await ask("/v3", WEB)).json).not.toContainKeys(["LogDriver", "LogOptions", "ContainerARN"]);
    expect((await ask("/v3/task", WEB)).json).not.toContainKeys(["LaunchType", "ClockDrift"]);
  });
});

test("a file that is keyed by names gives each container its own over what all have", async () => {
  const { ask } = await start({
    container: {
      front: { Limits: { CPU: 512 } },
      "shop-db-1": { Image: "postgres" },
      missing: { Image: "x" },
      Limits: { CPU: 64 },
    },
  });
  const [web, db] = [(await ask("/v4", WEB)).json, (await ask("/v4", DB)).json];
  expect([web.Image, web.Limits]).toEqual(["alpine:3.20", { CPU: 512, Memory: 0 }]);
  expect([db.Image, db.Limits]).toEqual(["postgres", { CPU: 64, Memory: 0 }]);
  expect([web, db].flatMap(Object.keys)).not.toContain("none");
  const { Containers } = (await ask("/v4/task", WEB)).json;
  expect(Containers).toEqual([db, web]);
});

test("files that change are used without a restart, and a broken one leaves the last good one", async () => {
  const { ask, write, log } = await start({ task: { Family: "one" }, container: { Extra: 1 } });
  const facts = async () => {
    const { Family, Containers } = (await ask("/v3/task", WEB)).json;
    const { Extra } = (await ask("/v3", WEB)).json;
    return [Family, Containers[1].Extra, Extra];
  };
  expect(await facts()).toEqual(["one", 1, 1]);
  write("container.json", { Extra: "two" });
  await waitForLine(log, "a changed file is used");
  expect(await facts()).toEqual(["one", "two", "two"]);
  write("task.json", '{"Family":"two",}');
  const said = await waitForLine(log, "cannot be used");
  expect([said.variable, said.cause]).toEqual(["TASK_METADATA_PATH", expect.stringContaining("which is not JSON: ")]);
  expect(await facts()).toEqual(["one", "two", "two"]);
  write("task.json", { Family: "three" });
  await waitForLine(log, "used again");
  expect(await facts()).toEqual(["three", "two", "two"]);
});

test("a file that is nested too deep to be written is a broken one", async () => {
  const { ask, write, log } = await start({ task: { Family: "one" }, container: { Labels: { a: "b" } } });
  write("container.json", `{"Labels":${'{"a":'.repeat(60_000)}1${"}".repeat(60_001)}`);
  const said = await waitForLine(log, "cannot be used");
  expect([said.variable, said.cause]).toEqual(["CONTAINER_METADATA_PATH", expect.stringContaining("nested too deep")]);
  expect((await ask("/v4", WEB)).json.Labels).toMatchObject({ a: "b" });
  write("container.json", '{"Labels":{"__proto__":"x"}}');
  await waitForLine(log, "used again");
  expect((await ask("/v4", WEB)).text).toContain('"__proto__":"x"');
});
