import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import { createContainerStore } from "../../../src/engine/container-store.ts";
import { createOwnNames } from "../../../src/engine/self.ts";
import { container } from "../../support/containers.ts";
import { network, withNetwork } from "../../support/networks.ts";

const shop = network({ name: "shop_default", subnet: "10.0.0.0/24", gateway: "10.0.0.1" });
const blog = network({ name: "blog", subnet: "10.1.0.0/24", gateway: "10.1.0.1" });
const own = container({ name: "Endpoints-1" });
const onBoth = withNetwork(withNetwork(own, shop, { ipv4: "10.0.0.2", aliases: ["ecs", "metadata.corp"] }), blog, {
  ipv4: "10.1.0.2",
  aliases: ["Other"],
});

function start() {
  const store = createContainerStore();
  const names = createOwnNames(store, ({ id }) => id === own.Id);
  return { store, names: () => [...names()].sort() };
}

describe("the names of our own container", () => {
  test("are its own and its aliases, each on the network that has it, in lower case", () => {
    const { store, names } = start();
    store.put(toContainer(onBoth));
    expect(names()).toEqual([
      "ecs",
      "ecs.shop_default",
      "endpoints-1",
      "endpoints-1.blog",
      "endpoints-1.shop_default",
      "metadata.corp",
      "metadata.corp.shop_default",
      "other",
      "other.blog",
    ]);
  });
  test("are none where we run in no container, or in one that has ended", () => {
    const { store, names } = start();
    store.put(toContainer(withNetwork(container({ name: "other" }), shop, { ipv4: "10.0.0.3", aliases: ["x"] })));
    store.put({ ...toContainer(onBoth), running: false });
    expect(names()).toBeEmpty();
  });
  test("are those of the store as it is", () => {
    const { store, names } = start();
    expect(names()).toBeEmpty();
    store.put(toContainer(withNetwork(own, shop, { ipv4: "10.0.0.2" })));
    expect(names()).toContain("endpoints-1.shop_default");
    store.put(toContainer(withNetwork(own, blog, { ipv4: "10.1.0.2" })));
    expect(names()).toEqual(["endpoints-1", "endpoints-1.blog"]);
  });
});
