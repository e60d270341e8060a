import { afterEach, describe, expect, test } from "bun:test";
import { eventually, startApp } from "../support/app.ts";
import { container, hexId, withComposeProject } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { network, withNetwork } from "../support/networks.ts";

const net = network({ name: "n", subnet: "172.31.7.0/24", gateway: "172.31.7.1" });
const member = (project: string, service: string, ipv4: string) =>
  withNetwork(withComposeProject(container({ name: `${project}-${service}` }), project, service), net, { ipv4 });
const OLD = "172.31.7.2";
const HOST = "127.0.0.1";
const ID = hexId("container old-web");
const BROKEN = hexId("container shop-broken");

let engine: ReturnType<typeof startFakeEngine>;
let app: ReturnType<typeof startApp>;
afterEach(async () => {
  app.stop();
  await engine.stop();
});

/** Starts with one container that is known, and has another start that the engine does not tell of. */
async function start(fault: "garbage" | "hold"): Promise<void> {
  engine = startFakeEngine({ networks: [net], containers: [member("old", "web", OLD)] });
  app = startApp(engine.host);
  await app.inventory.ready();
  engine.faults[fault] = (path: string) => path === `/containers/${BROKEN}/json`;
  engine.add(member("shop", "broken", "172.31.7.3"));
}

describe("while the engine does not tell of some container", () => {
  for (const [title, fault, why] of [
    ["but says something else", "garbage", "is not JSON"],
    ["and is silent about it", "hold", "does not answer"],
  ] as const) {
    test(`${title}, each question has one answer, whenever it is asked`, async () => {
      await start(fault);
      await eventually(() => app.lines.some((line) => line.includes("could not be inspected")), 4_000);
      const asked = [
        // Another container may be meant, so no data is returned.
        ["/v4/web", HOST, 503],
        ["/v4/web", OLD, 503],
        ["/v4/ld-we", OLD, 503],
        ["/v3/containers/missing", HOST, 503],
        [`/v3/containers/${BROKEN}`, HOST, 503],
        ["/v4/task", "172.31.7.1", 503],
        ["/v1/tasks", HOST, 503],
        [`/v1/tasks?dockerid=${ID.slice(0, 12)}`, HOST, 503],
        // No other has the id, or the address.
        ["/v4", OLD, 200],
        ["/v4/task", OLD, 200],
        ["/creds", OLD, 200],
        [`/v4/${ID}`, HOST, 200],
        ["/v3/containers/old-web", HOST, 200],
        [`/v1/tasks?dockerid=${ID}`, HOST, 200],
        ["/v4/task", HOST, 200],
      ] as const;
      const answers = new Map<string, Set<string>>();
      const ends = performance.now() + 1_200;
      while (performance.now() < ends) {
        for (const [path, address] of asked) {
          const { status, text } = await app.ask(path, address);
          const seen = answers.get(`${path} ${address}`) ?? new Set();
          answers.set(`${path} ${address}`, seen.add(status === 503 ? `503 ${text.includes(why)}` : `${status}`));
        }
        await Bun.sleep(20);
      }
      for (const [path, address, status] of asked) {
        const seen = [...(answers.get(`${path} ${address}`) ?? [])];
        expect(seen, `${path} ${address}`).toEqual([status === 503 ? "503 true" : `${status}`]);
      }
    }, 10_000);
  }

  test("it is refused at once, with the reason, which the log has as a warning", async () => {
    await start("garbage");
    await Bun.sleep(20);
    const begin = performance.now();
    for (let count = 0; count < 20; count += 1) expect((await app.ask("/v4/web", OLD)).status).toBe(503);
    expect(performance.now() - begin).toBeLessThan(400);
    const { status, json } = await app.ask("/v3", "172.31.7.9");
    expect([status, json]).toEqual([503, expect.stringContaining("is not JSON")]);
    app.flush();
    const said = app.lines
      .join("")
      .split("\n")
      .filter((line) => line.includes("could not be inspected"));
    expect(said[0]).toContain('"level":"warning"');
  });

  test("a task is protected by a container of its own that is named whole, and by none that is not", async () => {
    await start("garbage");
    await Bun.sleep(20);
    const put = async (identifier: string) =>
      (
        await app.ask(`/api/${identifier}/task-protection/v1/state`, OLD, {
          method: "PUT",
          body: '{"ProtectionEnabled":true}',
        })
      ).status;
    expect([await put(ID), await put("old-web"), await put("web")]).toEqual([200, 200, 500]);
  });

  test("all is answered again once it is told", async () => {
    await start("garbage");
    await Bun.sleep(20);
    expect((await app.ask("/v4/web", HOST)).status).toBe(503);
    engine.faults.garbage = () => false;
    await eventually(async () => (await app.ask("/v4/web", HOST)).json?.DockerName === "old-web", 1_500);
    expect((await app.ask("/v1/tasks", HOST)).json.Tasks).toHaveLength(2);
  });
});

test("a container whose end was told is not said to run while the engine tells no more of it", async () => {
  engine = startFakeEngine({
    networks: [net],
    containers: [member("old", "web", OLD), member("old", "job", "172.31.7.4")],
  });
  app = startApp(engine.host);
  await app.inventory.ready();
  engine.faults.garbage = (path) => path === `/containers/${ID}/json`;
  await engine.stop("old-web");
  await Bun.sleep(30);
  expect((await app.ask("/v4/old-web", HOST)).json.KnownStatus).toBe("STOPPED");
  const { Containers } = (await app.ask("/v4/task", HOST)).json;
  expect(Containers.map(({ DockerName }: { DockerName: string }) => DockerName)).toEqual(["old-job"]);
  engine.faults.garbage = () => false;
  engine.start("old-web");
  await Bun.sleep(30);
  expect((await app.ask("/v4", OLD)).json).toMatchObject({ DockerName: "old-web", KnownStatus: "RUNNING" });
});
