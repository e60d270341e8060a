import { describe, expect, test } from "bun:test";
import { type Container, toContainer } from "../../../src/engine/container.ts";
import { createPicture, type Network } from "../../../src/engine/container-store.ts";
import { container } from "../../support/containers.ts";

interface At {
  ipv4?: string;
  ipv6?: string;
  gateways?: string[];
}

function make(id: string, at: At[], more: Partial<Container> = {}): Container {
  const attachments = at.map(({ ipv4, ipv6, gateways = [] }, index) => ({
    name: `n${index}`,
    networkId: `n${index}`,
    ipv4,
    ipv6,
    gateways,
    macAddress: undefined,
  }));
  return { ...toContainer(container({ name: id, id })), attachments, ...more };
}

function pictureOf(...containers: Container[]) {
  const picture = createPicture();
  for (const each of containers) picture.put(each);
  return { ...picture, ids: (address: string) => picture.claimants(address).map(({ id }) => id) };
}

describe("what shares a network namespace has the networks of its owner", () => {
  const web = make("web", [{ ipv4: "10.0.0.2" }]);
  const sidecar = make("sidecar", [], { networkOwner: "web" });
  const addressIn = (picture: ReturnType<typeof pictureOf>) =>
    picture.containers.get("sidecar")?.attachments.map(({ ipv4 }) => ipv4);
  test("whichever is known first", () => {
    expect(addressIn(pictureOf(web, sidecar))).toEqual(["10.0.0.2"]);
    expect(addressIn(pictureOf(sidecar, web))).toEqual(["10.0.0.2"]);
  });
  test("by the owner's name", () => {
    expect(addressIn(pictureOf({ ...web, id: "4f0c" }, sidecar))).toEqual(["10.0.0.2"]);
  });
  test("at another address as soon as the owner has it, as another object", () => {
    const picture = pictureOf(web, sidecar);
    const before = picture.containers.get("sidecar");
    picture.put(make("web", [{ ipv4: "10.0.0.9" }]));
    expect(addressIn(picture)).toEqual(["10.0.0.9"]);
    expect(picture.containers.get("sidecar")).not.toBe(before);
  });
  test("as the same object where another container changes", () => {
    const picture = pictureOf(web, sidecar);
    const before = picture.containers.get("sidecar");
    picture.put(make("db", []));
    expect(picture.containers.get("sidecar")).toBe(before as Container);
  });
  test("where that shares another's itself", () => {
    const picture = pictureOf(
      make("sidecar", [], { networkOwner: "proxy" }),
      make("proxy", [], { networkOwner: "web" }),
    );
    picture.put(web);
    expect(addressIn(picture)).toEqual(["10.0.0.2"]);
  });
  test("and its own as the engine has them where the owner is not known, or is said to be itself", () => {
    const alone = make("sidecar", [{ ipv4: "10.0.0.3" }], { networkOwner: "web" });
    expect(addressIn(pictureOf(alone))).toEqual(["10.0.0.3"]);
    expect(addressIn(pictureOf({ ...alone, networkOwner: "sidecar" }))).toEqual(["10.0.0.3"]);
  });
});

describe("an address is claimed", () => {
  const web = make("web", [{ ipv4: "10.0.0.2", ipv6: "fd00::2" }, { ipv4: "10.1.0.2" }]);
  test("by the running container that has it, on any network, IPv4 and IPv6", () => {
    const picture = pictureOf(web);
    for (const address of ["10.0.0.2", "10.1.0.2", "fd00::2"]) expect(picture.ids(address)).toEqual(["web"]);
    expect(picture.ids("10.0.0.3")).toEqual([]);
  });
  test("by every container that has it where networks overlap", () => {
    expect(
      pictureOf(web, make("db", [{ ipv4: "10.0.0.2" }]))
        .ids("10.0.0.2")
        .sort(),
    ).toEqual(["db", "web"]);
  });
  test("once by a container that has it on two networks", () => {
    expect(pictureOf(make("web", [{ ipv4: "10.0.0.2" }, { ipv4: "10.0.0.2" }])).ids("10.0.0.2")).toEqual(["web"]);
  });
  test("by the owner of a shared network namespace, not by those who share it", () => {
    const sidecar = make("sidecar", [{ ipv4: "10.0.0.2" }], { networkOwner: "web" });
    expect(pictureOf(sidecar, web).ids("10.0.0.2")).toEqual(["web"]);
    expect(pictureOf(sidecar).ids("10.0.0.2")).toEqual([]);
  });
  test("by none that has stopped", () => {
    const picture = pictureOf(web);
    picture.put({ ...web, running: false });
    expect(picture.ids("10.0.0.2")).toEqual([]);
    expect(picture.containers.get("web")?.running).toBe(false);
  });
  test("by none that has moved to another address", () => {
    const picture = pictureOf(web);
    picture.put(make("web", [{ ipv4: "10.0.0.9" }]));
    expect([picture.ids("10.0.0.2"), picture.ids("fd00::2"), picture.ids("10.0.0.9")]).toEqual([[], [], ["web"]]);
  });
  test("by none that was withdrawn, which stays known by its id until it is put again", () => {
    const picture = pictureOf(web, make("db", [{ ipv4: "10.0.0.2" }]));
    picture.withdraw("web");
    expect([picture.ids("10.0.0.2"), picture.ids("10.1.0.2"), picture.ids("fd00::2")]).toEqual([["db"], [], []]);
    expect(picture.containers.get("web")).toBe(web);
    picture.put(web);
    expect(picture.ids("10.1.0.2")).toEqual(["web"]);
  });
  test("by none that was removed", () => {
    const picture = pictureOf(web);
    picture.remove("web");
    expect([picture.ids("10.0.0.2"), [...picture.containers.keys()]]).toEqual([[], []]);
  });
});

test("the container of an address is the object that was put last", () => {
  const next = make("web", [{ ipv4: "10.0.0.2" }]);
  const picture = pictureOf(make("web", [{ ipv4: "10.0.0.2" }]), next);
  expect(picture.claimants("10.0.0.2")[0]).toBe(next);
});

test("the revision grows with every change, and with nothing else", () => {
  const picture = createPicture();
  const web = make("web", [{ ipv4: "10.0.0.2" }]);
  let before = picture.revision();
  const steps = [
    () => picture.put(web),
    () => picture.put(web),
    () => picture.withdraw("web"),
    () => picture.remove("web"),
    () => picture.setNetworks([{ id: "n", name: "n", subnets: [], gateways: [] }]),
    () => picture.setMachine({ cpus: 2, memoryBytes: 1 }),
  ];
  for (const step of steps) {
    step();
    expect(picture.revision()).toBeGreaterThan(before);
    before = picture.revision();
  }
  picture.setNetworks([{ id: "n", name: "n", subnets: [], gateways: [] }]);
  picture.setMachine({ cpus: 2, memoryBytes: 1 });
  picture.claimants("10.0.0.2");
  picture.isInSubnet("10.0.0.2");
  picture.isGateway("10.0.0.2");
  expect(picture.revision()).toBe(before);
});

describe("networks", () => {
  const net = (subnets: string[], gateways: string[]): Network => ({ id: "n", name: "n", subnets, gateways });
  test("say what a gateway is, and what lies inside a subnet", () => {
    const picture = createPicture();
    picture.setNetworks([net(["10.0.0.0/24", "fd00::/64"], ["10.0.0.1", "fd00::1"]), net(["10.9.0.0/16"], [])]);
    expect(["10.0.0.1", "fd00::1", "10.0.0.2", "10.9.0.1"].map(picture.isGateway)).toEqual([true, true, false, false]);
    expect(["10.0.0.255", "fd00::ff", "10.9.8.7"].map((address) => picture.isInSubnet(address))).toEqual([
      true,
      true,
      true,
    ]);
    expect(["10.0.1.0", "fd00:0:0:1::1", ""].map((address) => picture.isInSubnet(address))).toEqual([
      false,
      false,
      false,
    ]);
  });
  test("replace the former ones", () => {
    const picture = createPicture();
    picture.setNetworks([net(["10.0.0.0/24"], ["10.0.0.1"])]);
    picture.setNetworks([net(["10.1.0.0/24"], ["10.1.0.1"])]);
    expect([picture.isGateway("10.0.0.1"), picture.isInSubnet("10.0.0.2")]).toEqual([false, false]);
    expect([picture.isGateway("10.1.0.1"), picture.isInSubnet("10.1.0.2")]).toEqual([true, true]);
  });
  test("have the gateways of running containers beside their own", () => {
    const picture = pictureOf(make("web", [{ ipv4: "10.0.0.2", gateways: ["10.0.0.1", "fd00::1"] }]));
    expect([picture.isGateway("10.0.0.1"), picture.isGateway("fd00::1")]).toEqual([true, true]);
    picture.setNetworks([]);
    expect(picture.isGateway("10.0.0.1")).toBe(true);
    picture.remove("web");
    picture.setNetworks([]);
    expect(picture.isGateway("10.0.0.1")).toBe(false);
  });
  test("have no gateways of a container that does not run", () => {
    const stopped = make("web", [{ gateways: ["10.0.0.1", "fd00::1"] }], { running: false });
    const picture = pictureOf(stopped);
    expect([picture.isGateway("10.0.0.1"), picture.isGateway("fd00::1")]).toEqual([false, false]);
    picture.setNetworks([]);
    expect([picture.isGateway("10.0.0.1"), picture.isGateway("fd00::1")]).toEqual([false, false]);
  });
  test("lose the gateways of a container that has stopped when they are read", () => {
    const web = make("web", [{ ipv4: "10.0.0.2", gateways: ["10.0.0.1"] }]);
    const picture = pictureOf(web, make("db", [{ ipv4: "10.1.0.2", gateways: ["10.1.0.1"] }]));
    picture.put({ ...web, running: false });
    picture.setNetworks([]);
    expect([picture.isGateway("10.0.0.1"), picture.isGateway("10.1.0.1")]).toEqual([false, true]);
  });
});

describe("where the engine's networks are elsewhere", () => {
  const bridge: Network = { id: "n0", name: "n0", driver: "bridge", subnets: ["10.0.0.0/24"], gateways: ["10.0.0.1"] };
  const web = make("web", [{ ipv4: "10.0.0.2", gateways: ["10.0.0.1"] }]);
  const own = make("own", [{ ipv4: "10.0.0.9" }]);
  function start() {
    const picture = createPicture(({ id }) => id === "own");
    picture.begin("unix:///a.sock", true);
    picture.setNetworks([bridge]);
    picture.put(web);
    const seen = () => [
      picture.claimants("10.0.0.2").length > 0,
      picture.isGateway("10.0.0.1"),
      picture.isBridgeGateway("10.0.0.1"),
      picture.isInSubnet("10.0.0.3"),
      !picture.isElsewhere(),
    ];
    return { picture, seen };
  }
  const NOTHING = Array(5).fill(false);
  const ALL = Array(5).fill(true);

  test("no address is of them, though the containers are known", () => {
    const { picture, seen } = start();
    expect(seen()).toEqual(NOTHING);
    expect(picture.containers.get("web")).toBe(web);
  });
  test("all are where we run in one of its containers, for as long as it runs", () => {
    const { picture, seen } = start();
    picture.put(own);
    expect(seen()).toEqual(ALL);
    picture.put({ ...own, running: false });
    expect(seen()).toEqual(NOTHING);
    picture.put(own);
    picture.remove("own");
    expect(seen()).toEqual(NOTHING);
  });
  test("all are from when it says that they are not, at another revision", () => {
    const { picture, seen } = start();
    const before = picture.revision();
    picture.setElsewhere(false);
    expect(seen()).toEqual(ALL);
    expect(picture.revision()).toBeGreaterThan(before);
  });
  test("what an engine said stays where it is found again, and not where another is", () => {
    const { picture, seen } = start();
    picture.setElsewhere(false);
    picture.begin("unix:///a.sock", true);
    expect(seen()).toEqual(ALL);
    picture.begin("unix:///b.sock", true);
    expect(seen()).toEqual(NOTHING);
  });
  test("what another engine had is believed no longer", () => {
    const { picture } = start();
    picture.begin("unix:///b.sock", false);
    expect(picture.claimants("10.0.0.2")).toEqual([]);
    picture.put(web);
    expect(picture.claimants("10.0.0.2")).toEqual([web]);
  });
});
