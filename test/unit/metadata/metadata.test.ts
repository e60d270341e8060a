import { describe, expect, test } from "bun:test";
import { member, setup } from "./metadata-machine.ts";

describe("what is asked", () => {
  const SHOP = "shop-db-1 shop-web-1";
  for (const [resource, identifier, address, expected] of [
    ["container", undefined, "10.0.0.2", "shop-web-1"],
    ["container", undefined, "::ffff:10.0.0.2", "shop-web-1"],
    ["container", "web", "10.0.0.4", "blog-web-1"],
    ["container", "db", "10.0.0.4", "shop-db-1"],
    ["container", "web", "127.0.0.1", "container-ambiguous"],
    ["container", "none", "127.0.0.1", "container-unknown"],
    ["container", "db", "203.0.113.9", "shop-db-1"],
    ["container", undefined, "127.0.0.9", "caller-unknown"],
    ["container", undefined, "::1", "caller-unknown"],
    ["container", undefined, "10.0.0.1", "caller-unknown"],
    ["container", undefined, "203.0.113.9", "caller-unknown"],
    ["task", undefined, "10.0.0.2", SHOP],
    ["task", "db", "10.0.0.4", SHOP],
    ["task", undefined, "127.0.0.1", `blog-web-1 ${SHOP}`],
    ["task", undefined, "192.0.2.7", `blog-web-1 ${SHOP}`],
    ["task", undefined, "10.0.0.1", "caller-unknown"],
    ["task", undefined, "203.0.113.9", "caller-unknown"],
    ["stats", undefined, "10.0.0.2", '{"id":"shop-web"}'],
    ["stats", "job", "10.0.0.2", "container-not-running"],
    ["stats", undefined, "127.0.0.1", "caller-unknown"],
  ] as const) {
    for (const current of [true, false]) {
      test(`${resource} ${identifier ?? "of the caller"} by ${address}${current ? "" : ", later"}: ${expected}`, async () => {
        const { ask, world } = setup();
        world.current = current;
        expect(await ask(resource, identifier, address)).toBe(expected);
      });
    }
  }
});

test("what is at hand is answered without waiting", () => {
  const { metadata } = setup();
  for (const resource of ["container", "task", "stats"] as const) {
    expect(metadata(resource, undefined, "10.0.0.2")).toBeString();
  }
});

test("an identifier that nobody has is asked for again when the engine confirmed the picture", async () => {
  const { ask, world, picture } = setup();
  expect([await ask("container", "new", "10.0.0.2"), world.confirmed]).toEqual(["container-unknown", 1]);
  world.onConfirm = () => picture.put(member("shop", "new", "10.0.0.5"));
  expect(await ask("container", "new", "10.0.0.2")).toBe("shop-new-1");
  expect([await ask("container", "web", "127.0.0.1"), world.confirmed]).toEqual(["container-ambiguous", 2]);
});

test("one identifier means to each caller what it means to that caller", async () => {
  const { ask } = setup();
  for (let asked = 0; asked < 2; asked += 1) {
    expect(await ask("container", "web", "10.0.0.2")).toBe("shop-web-1");
    expect(await ask("container", "web", "10.0.0.4")).toBe("blog-web-1");
    expect(await ask("container", "web", "127.0.0.1")).toBe("container-ambiguous");
  }
});

test("answers follow the picture", async () => {
  const { ask, picture } = setup();
  expect(await ask("container", "db", "10.0.0.2")).toBe("shop-db-1");
  expect([await ask("container", "cache", "10.0.0.2"), await ask("task", undefined, "10.0.0.2")]).toEqual([
    "container-unknown",
    "shop-db-1 shop-web-1",
  ]);
  picture.put(member("shop", "cache", "10.0.0.6"));
  picture.remove("shop-db");
  expect(await ask("container", "db", "10.0.0.2")).toBe("container-unknown");
  expect([await ask("container", "cache", "10.0.0.2"), await ask("task", undefined, "10.0.0.2")]).toEqual([
    "shop-cache-1",
    "shop-cache-1 shop-web-1",
  ]);
});

describe("a task's stats", () => {
  test("are its members', null where there is no sample, and null for a minute after an end", async () => {
    const { ask, world } = setup();
    world.slow.add("shop-db");
    world.nowMs += 59_999;
    const members = '{"shop-db":null,"shop-web":{"id":"shop-web"}';
    expect(await ask("task-stats", undefined, "10.0.0.2")).toBe(`${members},"shop-job":null}`);
    world.nowMs += 1;
    expect(await ask("task-stats", undefined, "10.0.0.2")).toBe(`${members}}`);
  });
  test("are the machine's for the host", async () => {
    const { ask, world } = setup();
    world.nowMs += 60_000;
    expect(Object.keys(JSON.parse(await ask("task-stats", undefined, "127.0.0.1")))).toEqual([
      "blog-web",
      "shop-db",
      "shop-web",
    ]);
  });
});

test("a container's stats are null where there is no sample in time", async () => {
  const { ask, world } = setup();
  world.slow.add("shop-web");
  expect(await ask("stats", undefined, "10.0.0.2")).toBe("null");
});
