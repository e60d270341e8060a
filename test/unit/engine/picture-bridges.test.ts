import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import { createPicture } from "../../../src/engine/container-store.ts";
import { container } from "../../support/containers.ts";
import { network, withNetwork } from "../../support/networks.ts";

const bridge = network({ name: "bridge", subnet: "10.0.0.0/24", gateway: "10.0.0.1" });
const lan = network({ name: "lan", subnet: "192.168.0.0/24", gateway: "192.168.0.1" });

/** A container on a network of a driver whose document has a gateway or not. */
function start(on: typeof bridge, driver: string | undefined, gateways: string[], running = true) {
  const picture = createPicture();
  picture.setNetworks([{ id: on.Id, name: on.Name, subnets: [], gateways, driver }]);
  picture.put({ ...toContainer(withNetwork(container({ name: "web" }), on, { ipv4: "10.0.0.2" })), running });
  return picture;
}

describe("a gateway is a bridge's", () => {
  for (const [title, picture, gateway, expected] of [
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
    test(title, () => expect(picture.isBridgeGateway(gateway)).toBe(expected));
  }
  test("where a bridge and a macvlan have the same", () => {
    const picture = createPicture();
    const both = { name: "n", subnets: [], gateways: ["10.0.0.1"] };
    picture.setNetworks([
      { ...both, id: "a", driver: "macvlan" },
      { ...both, id: "b", driver: "bridge" },
    ]);
    expect(picture.isBridgeGateway("10.0.0.1")).toBe(true);
  });
});

test("a network is found by the name that a container of Podman calls it by", () => {
  const picture = createPicture();
  const listed = { id: "f0c4", name: "lan", subnets: ["192.168.0.0/24"], gateways: [], driver: "bridge" };
  picture.setNetworks([listed, { ...listed, id: "5e7a", name: "dmz", subnets: ["192.168.1.0/24"] }]);
  const facts = toContainer(withNetwork(container({ name: "web" }), { ...lan, Id: "lan" }, { ipv4: "192.168.0.2" }));
  picture.put(facts);
  expect(picture.isInSubnet("192.168.0.9", facts.attachments[0]?.networkId)).toBe(true);
  expect(picture.isInSubnet("192.168.1.9", facts.attachments[0]?.networkId)).toBe(false);
  expect(picture.isBridgeGateway("192.168.0.1")).toBe(true);
});
