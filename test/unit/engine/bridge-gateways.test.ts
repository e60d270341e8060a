import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import { createContainerStore } from "../../../src/engine/container-store.ts";
import { container } from "../../support/containers.ts";
import { network, withNetwork } from "../../support/networks.ts";

const bridge = network({ name: "bridge", subnet: "10.0.0.0/24", gateway: "10.0.0.1" });
const lan = network({ name: "lan", subnet: "192.168.0.0/24", gateway: "192.168.0.1" });

/** A container on a network of a driver whose document has a gateway or not. */
function start(on: typeof bridge, driver: string | undefined, gateways: string[], running = true) {
  const store = createContainerStore();
  store.setNetworks([{ id: on.Id, name: on.Name, subnets: [], gateways, driver }]);
  store.put({ ...toContainer(withNetwork(container({ name: "web" }), on, { ipv4: "10.0.0.2" })), running });
  return store;
}

describe("a gateway is a bridge's", () => {
  for (const [title, store, gateway, expected] of [
    ["by the network's document", start(bridge, "bridge", ["10.0.0.1"]), "10.0.0.1", true],
    [
      "by the document of a container on it, where the network's leaves it out",
      start(bridge, "bridge", []),
      "10.0.0.1",
      true,
    ],
    ["not by that of a container that has ended", start(bridge, "bridge", [], false), "10.0.0.1", false],
    ["not where the network is a macvlan", start(lan, "macvlan", ["192.168.0.1"]), "192.168.0.1", false],
    ["not where it does not say what it is", start(lan, undefined, ["192.168.0.1"]), "192.168.0.1", false],
    ["and its neighbour is none", start(bridge, "bridge", ["10.0.0.1"]), "10.0.0.2", false],
  ] as const) {
    test(title, () => expect(store.isBridgeGateway(gateway)).toBe(expected));
  }
  test("where a bridge and a macvlan have the same", () => {
    const store = createContainerStore();
    const both = { name: "n", subnets: [], gateways: ["10.0.0.1"] };
    store.setNetworks([
      { ...both, id: "a", driver: "macvlan" },
      { ...both, id: "b", driver: "bridge" },
    ]);
    expect(store.isBridgeGateway("10.0.0.1")).toBe(true);
  });
});

test("a network is found by the name that a container of Podman calls it by", () => {
  const store = createContainerStore();
  const listed = { id: "f0c4", name: "lan", subnets: ["192.168.0.0/24"], gateways: [], driver: "bridge" };
  store.setNetworks([listed, { ...listed, id: "5e7a", name: "dmz", subnets: ["192.168.1.0/24"] }]);
  const facts = toContainer(withNetwork(container({ name: "web" }), { ...lan, Id: "lan" }, { ipv4: "192.168.0.2" }));
  store.put(facts);
  expect(store.isBridgeGateway("192.168.0.1")).toBe(true);
});
