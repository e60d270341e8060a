import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startApp } from "../support/app.ts";
import { container, withComposeProject } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { network, withNetwork } from "../support/networks.ts";

const shop = network({ name: "shop_default", subnet: "172.31.1.0/24", gateway: "172.31.1.1" });
const blog = network({
  name: "blog_default",
  subnet: "172.31.2.0/24",
  gateway: "172.31.2.1",
  ipv6: { subnet: "fd00:2::/64", gateway: "fd00:2::1" },
});
const member = (project: string, service: string, on: typeof shop, address: { ipv4: string; ipv6?: string }) =>
  withNetwork(withComposeProject(container({ name: `${project}-${service}-1` }), project, service), on, address);

const engine = startFakeEngine({
  networks: [shop, blog],
  containers: [
    member("shop", "web", shop, { ipv4: "172.31.1.2" }),
    member("shop", "db", shop, { ipv4: "172.31.1.3" }),
    member("blog", "web", blog, { ipv4: "172.31.2.2", ipv6: "fd00:2::2" }),
  ],
});
let app: ReturnType<typeof startApp>;
beforeAll(async () => {
  app = startApp(engine.host);
  await app.inventory.ready();
});
afterAll(async () => {
  app.stop();
  await engine.stop();
});

describe("a caller is found by its address", () => {
  for (const [address, name] of [
    ["172.31.1.2", "shop-web-1"],
    ["fd00:2::2", "blog-web-1"],
    ["fd00:2:0:0::2", "blog-web-1"],
  ] as const) {
    test(`${address} is ${name}`, async () => {
      const { status, type, json } = await app.ask("/v3", address);
      expect([status, type, json.DockerName]).toEqual([200, "application/json", name]);
    });
  }

  test("an address of no container is refused with the names that work", async () => {
    const { status, json } = await app.ask("/v3", "203.0.113.9");
    expect(status).toBe(500);
    expect(json).toContain("203.0.113.9");
    expect(json).toContain("shop-web-1");
  });

  test("a gateway hides who asks where there are two tasks", async () => {
    expect((await app.ask("/v3", "172.31.1.1")).json).toContain("gateway");
    expect((await app.ask("/v3/task", "172.31.1.1")).status).toBe(500);
  });
});
