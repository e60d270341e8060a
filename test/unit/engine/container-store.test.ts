import { describe, expect, test } from "bun:test";
import { type Container, toContainer } from "../../../src/engine/container.ts";
import { createContainerStore, type Network } from "../../../src/engine/container-store.ts";
import { container } from "../../support/containers.ts";

interface At {
  ipv4?: string;
  ipv6?: string;
  gateways?: string[];
}

function make(id: string, at: At[], more: Partial<Container> = {}): Container {
  const endpoints = at.map(({ ipv4, ipv6, gateways = [] }, index) => ({
    name: `n${index}`,
    networkId: `n${index}`,
    ipv4,
    ipv6,
    gateways,
    macAddress: undefined,
  }));
  return { ...toContainer(container({ name: id, id })), endpoints, ...more };
}

function storeOf(...containers: Container[]) {
  const store = createContainerStore();
  for (const each of containers) store.put(each);
  return Object.assign(store, { ids: (address: string) => store.ownersOf(address).map(({ id }) => id) });
}

describe("what shares a network namespace has the networks of its owner", () => {
  const web = make("web", [{ ipv4: "10.0.0.2" }]);
  const sidecar = make("sidecar", [], { networkOwner: "web" });
  const addressIn = (store: ReturnType<typeof storeOf>) =>
    store.containers.get("sidecar")?.endpoints.map(({ ipv4 }) => ipv4);
  test("whichever is known first", () => {
    expect(addressIn(storeOf(web, sidecar))).toEqual(["10.0.0.2"]);
    expect(addressIn(storeOf(sidecar, web))).toEqual(["10.0.0.2"]);
  });
  test("by the owner's name", () => {
    expect(addressIn(storeOf({ ...web, id: "4f0c" }, sidecar))).toEqual(["10.0.0.2"]);
  });
  test("at another address as soon as the owner has it, as another object", () => {
    const store = storeOf(web, sidecar);
    const before = store.containers.get("sidecar");
    store.put(make("web", [{ ipv4: "10.0.0.9" }]));
    expect(addressIn(store)).toEqual(["10.0.0.9"]);
    expect(store.containers.get("sidecar")).not.toBe(before);
  });
  test("as the same object where another container changes", () => {
    const store = storeOf(web, sidecar);
    const before = store.containers.get("sidecar");
    store.put(make("db", []));
    expect(store.containers.get("sidecar")).toBe(before as Container);
  });
  test("where that shares another's itself", () => {
    const store = storeOf(make("sidecar", [], { networkOwner: "proxy" }), make("proxy", [], { networkOwner: "web" }));
    store.put(web);
    expect(addressIn(store)).toEqual(["10.0.0.2"]);
  });
  test("and its own as the engine has them where the owner is not known, or is said to be itself", () => {
    const alone = make("sidecar", [{ ipv4: "10.0.0.3" }], { networkOwner: "web" });
    expect(addressIn(storeOf(alone))).toEqual(["10.0.0.3"]);
    expect(addressIn(storeOf({ ...alone, networkOwner: "sidecar" }))).toEqual(["10.0.0.3"]);
  });
});

describe("an address is claimed", () => {
  const web = make("web", [{ ipv4: "10.0.0.2", ipv6: "fd00::2" }, { ipv4: "10.1.0.2" }]);
  test("by the running container that has it, on any network, IPv4 and IPv6", () => {
    const store = storeOf(web);
    for (const address of ["10.0.0.2", "10.1.0.2", "fd00::2"]) expect(store.ids(address)).toEqual(["web"]);
    expect(store.ids("10.0.0.3")).toEqual([]);
  });
  test("by every container that has it where networks overlap", () => {
    expect(
      storeOf(web, make("db", [{ ipv4: "10.0.0.2" }]))
        .ids("10.0.0.2")
        .sort(),
    ).toEqual(["db", "web"]);
  });
  test("once by a container that has it on two networks", () => {
    expect(storeOf(make("web", [{ ipv4: "10.0.0.2" }, { ipv4: "10.0.0.2" }])).ids("10.0.0.2")).toEqual(["web"]);
  });
  test("by the owner of a shared network namespace, not by those who share it", () => {
    const sidecar = make("sidecar", [{ ipv4: "10.0.0.2" }], { networkOwner: "web" });
    expect(storeOf(sidecar, web).ids("10.0.0.2")).toEqual(["web"]);
    expect(storeOf(sidecar).ids("10.0.0.2")).toEqual([]);
  });
  test("by none that has stopped", () => {
    const store = storeOf(web);
    store.put({ ...web, running: false });
    expect(store.ids("10.0.0.2")).toEqual([]);
    expect(store.containers.get("web")?.running).toBe(false);
  });
  test("by none that has moved to another address", () => {
    const store = storeOf(web);
    store.put(make("web", [{ ipv4: "10.0.0.9" }]));
    expect([store.ids("10.0.0.2"), store.ids("fd00::2"), store.ids("10.0.0.9")]).toEqual([[], [], ["web"]]);
  });
  test("by none that was withdrawn, which stays known by its id until it is put again", () => {
    const store = storeOf(web, make("db", [{ ipv4: "10.0.0.2" }]));
    store.withdraw("web");
    expect([store.ids("10.0.0.2"), store.ids("10.1.0.2"), store.ids("fd00::2")]).toEqual([["db"], [], []]);
    expect(store.containers.get("web")).toBe(web);
    store.put(web);
    expect(store.ids("10.1.0.2")).toEqual(["web"]);
  });
  test("by none that was removed", () => {
    const store = storeOf(web);
    store.remove("web");
    expect([store.ids("10.0.0.2"), [...store.containers.keys()]]).toEqual([[], []]);
  });
});

test("the container of an address is the object that was put last", () => {
  const next = make("web", [{ ipv4: "10.0.0.2" }]);
  const store = storeOf(make("web", [{ ipv4: "10.0.0.2" }]), next);
  expect(store.ownersOf("10.0.0.2")[0]).toBe(next);
});

test("the revision grows with every change, and with nothing else", () => {
  const store = createContainerStore();
  const web = make("web", [{ ipv4: "10.0.0.2" }]);
  let before = store.revision();
  const steps = [
    () => store.put(web),
    () => store.put(web),
    () => store.withdraw("web"),
    () => store.remove("web"),
    () => store.setNetworks([{ id: "n", name: "n", subnets: [], gateways: [] }]),
    () => store.setMachine({ cpus: 2, memoryBytes: 1 }),
  ];
  for (const step of steps) {
    step();
    expect(store.revision()).toBeGreaterThan(before);
    before = store.revision();
  }
  store.setNetworks([{ id: "n", name: "n", subnets: [], gateways: [] }]);
  store.setMachine({ cpus: 2, memoryBytes: 1 });
  store.ownersOf("10.0.0.2");
  store.isInSubnet("10.0.0.2");
  store.isGateway("10.0.0.2");
  expect(store.revision()).toBe(before);
});

describe("networks", () => {
  const net = (subnets: string[], gateways: string[]): Network => ({ id: "n", name: "n", subnets, gateways });
  test("say what a gateway is, and what lies inside a subnet", () => {
    const store = createContainerStore();
    store.setNetworks([net(["10.0.0.0/24", "fd00::/64"], ["10.0.0.1", "fd00::1"]), net(["10.9.0.0/16"], [])]);
    expect(["10.0.0.1", "fd00::1", "10.0.0.2", "10.9.0.1"].map(store.isGateway)).toEqual([true, true, false, false]);
    expect(["10.0.0.255", "fd00::ff", "10.9.8.7"].map((address) => store.isInSubnet(address))).toEqual([
      true,
      true,
      true,
    ]);
    expect(["10.0.1.0", "fd00:0:0:1::1", ""].map((address) => store.isInSubnet(address))).toEqual([
      false,
      false,
      false,
    ]);
  });
  test("replace the former ones", () => {
    const store = createContainerStore();
    store.setNetworks([net(["10.0.0.0/24"], ["10.0.0.1"])]);
    store.setNetworks([net(["10.1.0.0/24"], ["10.1.0.1"])]);
    expect([store.isGateway("10.0.0.1"), store.isInSubnet("10.0.0.2")]).toEqual([false, false]);
    expect([store.isGateway("10.1.0.1"), store.isInSubnet("10.1.0.2")]).toEqual([true, true]);
  });
  test("have the gateways of running containers beside their own", () => {
    const store = storeOf(make("web", [{ ipv4: "10.0.0.2", gateways: ["10.0.0.1", "fd00::1"] }]));
    expect([store.isGateway("10.0.0.1"), store.isGateway("fd00::1")]).toEqual([true, true]);
    store.setNetworks([]);
    expect(store.isGateway("10.0.0.1")).toBe(true);
    store.remove("web");
    store.setNetworks([]);
    expect(store.isGateway("10.0.0.1")).toBe(false);
  });
  test("have no gateways of a container that does not run", () => {
    const stopped = make("web", [{ gateways: ["10.0.0.1", "fd00::1"] }], { running: false });
    const store = storeOf(stopped);
    expect([store.isGateway("10.0.0.1"), store.isGateway("fd00::1")]).toEqual([false, false]);
    store.setNetworks([]);
    expect([store.isGateway("10.0.0.1"), store.isGateway("fd00::1")]).toEqual([false, false]);
  });
  test("lose the gateways of a container that has stopped when they are read", () => {
    const web = make("web", [{ ipv4: "10.0.0.2", gateways: ["10.0.0.1"] }]);
    const store = storeOf(web, make("db", [{ ipv4: "10.1.0.2", gateways: ["10.1.0.1"] }]));
    store.put({ ...web, running: false });
    store.setNetworks([]);
    expect([store.isGateway("10.0.0.1"), store.isGateway("10.1.0.1")]).toEqual([false, true]);
  });
});

describe("where the engine's networks are elsewhere", () => {
  const bridge: Network = { id: "n0", name: "n0", driver: "bridge", subnets: ["10.0.0.0/24"], gateways: ["10.0.0.1"] };
  const web = make("web", [{ ipv4: "10.0.0.2", gateways: ["10.0.0.1"] }]);
  const own = make("own", [{ ipv4: "10.0.0.9" }]);
  function start() {
    const store = createContainerStore(({ id }) => id === "own");
    store.begin("unix:///a.sock", false);
    store.setNetworks([bridge]);
    store.put(web);
    const seen = () => [
      store.ownersOf("10.0.0.2").length > 0,
      store.isGateway("10.0.0.1"),
      store.isBridgeGateway("10.0.0.1"),
      store.isInSubnet("10.0.0.3"),
      store.addressesAreLocal(),
    ];
    return { store, seen };
  }
  const NOTHING = Array(5).fill(false);
  const ALL = Array(5).fill(true);

  test("no address is of them, though the containers are known", () => {
    const { store, seen } = start();
    expect(seen()).toEqual(NOTHING);
    expect(store.containers.get("web")).toBe(web);
  });
  test("all are where we run in one of its containers, for as long as it runs", () => {
    const { store, seen } = start();
    store.put(own);
    expect(seen()).toEqual(ALL);
    store.put({ ...own, running: false });
    expect(seen()).toEqual(NOTHING);
    store.put(own);
    store.remove("own");
    expect(seen()).toEqual(NOTHING);
  });
  test("all are from when it says that they are not, at another revision", () => {
    const { store, seen } = start();
    const before = store.revision();
    store.setAddressesAreLocal(true);
    expect(seen()).toEqual(ALL);
    expect(store.revision()).toBeGreaterThan(before);
  });
  test("what an engine said stays where it is found again, and not where another is", () => {
    const { store, seen } = start();
    store.setAddressesAreLocal(true);
    store.begin("unix:///a.sock", false);
    expect(seen()).toEqual(ALL);
    store.begin("unix:///b.sock", false);
    expect(seen()).toEqual(NOTHING);
  });
  test("what another engine had is believed no longer", () => {
    const { store } = start();
    store.begin("unix:///b.sock", true);
    expect(store.ownersOf("10.0.0.2")).toEqual([]);
    store.put(web);
    expect(store.ownersOf("10.0.0.2")).toEqual([web]);
  });
});
