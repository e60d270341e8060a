import { afterEach, describe, expect, test } from "bun:test";
import { eventually, startApp } from "../support/app.ts";
import { container, withComposeProject } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { network, withNetwork } from "../support/networks.ts";

const net = network({ name: "n", subnet: "172.31.7.0/24", gateway: "172.31.7.1" });
const member = (project: string, service: string, ipv4: string) =>
  withNetwork(withComposeProject(container({ name: `${project}-${service}` }), project, service), net, { ipv4 });
const OLD = "172.31.7.2";
const NEW = "172.31.7.3";

let engine: ReturnType<typeof startFakeEngine>;
let app: ReturnType<typeof startApp>;
afterEach(async () => {
  app.stop();
  await engine.stop();
});
async function start(): Promise<void> {
  engine = startFakeEngine({ networks: [net], containers: [member("old", "web", OLD)] });
  app = startApp(engine.host);
  await app.inventory.ready();
}
const nameOf = async (path: string, address: string) => (await app.ask(path, address)).json?.DockerName;

describe("a service's name", () => {
  test("means that of the caller's own project, also to one that has just started", async () => {
    await start();
    engine.add(member("new", "web", NEW));
    expect(await nameOf("/v3/containers/web", NEW)).toBe("new-web");
    expect(await nameOf("/v3/containers/web", OLD)).toBe("old-web");
  });

  test("means the caller's own while any other container starts", async () => {
    await start();
    engine.add(member("new", "web", NEW));
    await eventually(() => app.inventory.isCurrent(), 1_000);
    for (let serial = 10; serial < 20; serial += 1) {
      engine.add(member("other", `job${serial}`, `172.31.7.${serial}`));
      expect(await nameOf("/v3/containers/web", NEW)).toBe("new-web");
    }
  });

  test("does not mean another project's while the own one is just starting", async () => {
    await start();
    engine.add(member("new", "app", NEW));
    await eventually(() => app.inventory.isCurrent(), 1_000);
    engine.add(member("new", "web", "172.31.7.4"));
    await Bun.sleep(1);
    expect(await nameOf("/v3/containers/web", NEW)).toBe("new-web");
  });
});
