import { describe, expect, test } from "bun:test";
import {
  BLOG_CACHE,
  BLOG_WEB,
  HOST,
  NEWSFEED,
  ORDERS,
  RUNNING,
  SHOP_DB,
  SHOP_JOB,
  SHOP_PROXY,
  SHOP_WEB,
} from "./machine.ts";
import { expectText, jsonOf, type Subject } from "./subject.ts";

export function callersContract({ ask }: Subject): void {
  const idAt = async (from: string, path: string): Promise<string> => jsonOf(await ask(from, path)).DockerId;

  describe("a caller", () => {
    for (const [address, { name, id }] of [
      [SHOP_WEB.address, SHOP_WEB],
      [SHOP_DB.address, SHOP_DB],
      [SHOP_DB.addressInBlog, SHOP_DB],
      [BLOG_WEB.address, BLOG_WEB],
      [NEWSFEED.address, NEWSFEED],
      [ORDERS.address, ORDERS],
    ] as const) {
      test(`at ${address} is ${name}`, async () => {
        expect(await idAt(address, "/v3")).toBe(id);
        expect(jsonOf(await ask(address, "/v3/stats")).id).toBe(id);
      });
    }

    test("is told apart from a hundred others that ask at once", async () => {
      const callers = [SHOP_WEB, SHOP_DB, BLOG_WEB, BLOG_CACHE, NEWSFEED, ORDERS];
      const asking = Array.from({ length: 102 }, (_, index) => callers[index % callers.length] ?? SHOP_WEB);
      const answers = await Promise.all(asking.map(({ address }) => idAt(address, "/v3")));
      expect(answers).toEqual(asking.map(({ id }) => id));
    });
  });

  describe("the task", () => {
    for (const [whose, address, members] of [
      ["a Compose service is its project", SHOP_WEB.address, [SHOP_DB, SHOP_PROXY, SHOP_WEB]],
      ["a service on two networks is its own project", SHOP_DB.addressInBlog, [SHOP_DB, SHOP_PROXY, SHOP_WEB]],
      ["a service of another project is that project", BLOG_WEB.address, [BLOG_CACHE, BLOG_WEB]],
      ["a container that ECS labels describe is of its task ARN", ORDERS.address, [ORDERS]],
      ["a container outside of Compose is all that runs", NEWSFEED.address, RUNNING],
      ["the host is all that runs", HOST, RUNNING],
    ] as const) {
      test(`of ${whose}`, async () => {
        const ids = members.map(({ id }) => id).sort();
        for (const path of ["/v2/metadata", "/v3/task"]) {
          const { Containers } = jsonOf(await ask(address, path));
          expect(Containers.map(({ DockerId }: { DockerId: string }) => DockerId).sort(), path).toEqual(ids);
        }
        for (const path of ["/v2/stats", "/v3/task/stats"]) {
          expect(Object.keys(jsonOf(await ask(address, path))).sort(), path).toEqual(ids);
        }
      });
    }

    test("of a named container is that one's, whoever asks", async () => {
      for (const from of [SHOP_WEB.address, HOST]) {
        const { Containers } = jsonOf(await ask(from, "/v3/containers/blog-web-1/task"));
        expect(Containers).toHaveLength(2);
      }
    });
  });

  describe("the host is not a container", () => {
    for (const [path, status] of [
      ["/v3", 500],
      ["/v3/stats", 400],
    ] as const) {
      test(`and ${path} tells it which path works`, async () => {
        const text = expectText(await ask(HOST, path), status);
        expect(text).toContain(HOST);
        const [working = ""] = /\/v3\/containers\/[\w-]+/.exec(text) ?? [];
        expect((await ask(HOST, working)).status).toBe(200);
      });
    }
  });

  describe("an identifier", () => {
    for (const [what, identifier, from, { id }] of [
      ["that is an id means it", BLOG_WEB.id, HOST, BLOG_WEB],
      ["that is the beginning of an id means it", BLOG_WEB.id.slice(0, 12), HOST, BLOG_WEB],
      ["that is a name means it", "shop-web-1", BLOG_WEB.address, SHOP_WEB],
      ["that is an encoded name means it", "shop%2Dweb%2D1", HOST, SHOP_WEB],
      ["that is a service on this machine alone means it", "cache", HOST, BLOG_CACHE],
      ["that is a part of one name means it", "og-cac", HOST, BLOG_CACHE],
      ["that is a service and the beginning of an id means the service", "db", HOST, SHOP_DB],
      ["that is a container name of ECS means it", "api", HOST, ORDERS],
      ["that is the name of an exited container means it", "shop-job-1", HOST, SHOP_JOB],
      ["that two projects have means the caller's own", "web", BLOG_CACHE.address, BLOG_WEB],
      ["that two projects have means the other caller's own", "web", SHOP_DB.address, SHOP_WEB],
      ["that all of the caller's project have means the caller", "-1", SHOP_DB.address, SHOP_DB],
    ] as const) {
      test(what, async () => {
        for (const path of [`/v3/containers/${identifier}`, `/v3/${identifier}`, `/v2/metadata/${identifier}`]) {
          expect(await idAt(from, path), path).toBe(id);
        }
      });
    }

    for (const [what, identifier, candidates] of [
      ["that two services have", "web", "blog-web-1, shop-web-1"],
      ["that is the beginning of an id and a part of a name", "feed", "newsfeed, orders"],
    ] as const) {
      test(`${what} lists the candidates to who is neither`, async () => {
        expect(expectText(await ask(HOST, `/v3/containers/${identifier}`), 500)).toContain(candidates);
      });
    }

    for (const [path, status] of [
      ["/v2/metadata/missing", 400],
      ["/v2/stats/missing", 400],
      ["/v3/missing", 500],
      ["/v3/containers/missing", 500],
      ["/v3/containers/missing/task", 500],
      ["/v3/containers/missing/stats", 400],
      ["/v3/containers/missing/task/stats", 400],
    ] as const) {
      test(`that nothing has is an error that lists what runs, and never the caller's data: ${path}`, async () => {
        const text = expectText(await ask(SHOP_WEB.address, path), status);
        expect(text).toContain("missing");
        for (const { name } of RUNNING) expect(text).toContain(name);
      });
    }
  });
}
