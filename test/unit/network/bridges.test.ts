import { describe, expect, test } from "bun:test";
import { connect } from "../../../src/engine/client.ts";
import { bridgeNetworks, engineBridges, namedBridges, reasonAgainst } from "../../../src/network/bridges.ts";
import { startFakeEngine } from "../../support/fake-engine.ts";
import { type NetworkDocument, network } from "../../support/networks.ts";

const isLinux = process.platform === "linux";

describe("a network of the engine's", () => {
  const shop = {
    ...{ network: "shop", interfaceName: "br-1", internal: false },
    ...{ subnets: ["172.18.0.0/16", "fd00:1::/64"], gateways: ["172.18.0.1", "fd00:1::1"] },
  };
  const here = { isBridge: true, addresses: ["172.18.0.1/16", "fe80::1/64"] };
  const unsaid = { gateways: [] };
  for (const [title, changed, found, reason] of [
    ["is set up", {}, here, undefined],
    ["is set up by its gateway of IPv6", {}, { ...here, addresses: ["fd00:1:0::1/64"] }, undefined],
    ["whose gateway the engine does not say is set up by its subnet", unsaid, here, undefined],
    ["whose bridge is elsewhere is left out", {}, undefined, /br-1 does not exist here/],
    [
      "whose bridge the engine does not name is left out",
      { interfaceName: undefined },
      here,
      /does not say which bridge/,
    ],
    [
      "whose bridge has a path for a name is left out",
      { interfaceName: "../../x" },
      here,
      /cannot be the name of a bridge/,
    ],
    ["whose bridge is lo is left out", { interfaceName: "lo" }, here, /'lo' cannot be the name/],
    ["whose bridge is every interface is left out", { interfaceName: "all" }, here, /'all' cannot be the name/],
    ["whose bridge is a link is left out", {}, { ...here, isBridge: false }, /br-1 is not a bridge/],
    [
      "whose bridge has the name of another one here is left out",
      {},
      { ...here, addresses: ["172.19.0.1/16", "172.18.0.9/16"] },
      /br-1 of this machine has no address 172\.18\.0\.1, fd00:1::1: .*another machine, or of a rootless engine/,
    ],
    [
      "whose subnet is not the bridge's is left out",
      unsaid,
      { ...here, addresses: ["172.19.0.1/16"] },
      /no address in 172\.18\.0\.0\/16, /,
    ],
    ["that is internal is left out", { internal: true }, here, /it is internal/],
    ["that has the address itself is left out", { subnets: ["169.254.170.0/24"] }, here, /one of its own addresses/],
    [
      "that has the address in its second subnet is left out",
      { subnets: ["fd00::/64", "169.254.0.0/16"] },
      here,
      /own/,
    ],
  ] as const) {
    test(title, () => {
      const said = reasonAgainst({ ...shop, ...changed }, found);
      if (reason === undefined) expect(said).toBeUndefined();
      else expect(said).toMatch(reason);
    });
  }
});

describe.skipIf(!isLinux)(`bridges on this machine${isLinux ? "" : " (skipped: needs Linux)"}`, () => {
  test("of an engine that has none here are an error that says why and what to do", async () => {
    const subnet = { subnet: "172.40.1.0/24", gateway: "172.40.1.1" };
    const engine = startFakeEngine({ networks: [network({ name: "elsewhere", ...subnet })] });
    const docker = { host: engine.host, apiVersion: undefined, certPath: undefined, tlsVerify: false };
    await expect(engineBridges(await connect(docker, {}), "")).rejects.toThrow(
      expect.objectContaining({
        code: "network-failed",
        message: expect.stringMatching(
          /has no bridge on this machine.*; the network elsewhere is left out: its bridge br-/,
        ),
        hint: expect.stringMatching(/--bridge.*container at 169\.254\.170\.2/),
      }) as Error,
    );
    await engine.stop();
  });

  test("that it has not are refused with the name", () => {
    expect(() => namedBridges(["nope0"])).toThrow(
      expect.objectContaining({ code: "bad-configuration", message: expect.stringContaining("'nope0'") }) as Error,
    );
  });
});

const docker = { apiVersion: undefined, certPath: undefined, tlsVerify: false };

async function bridgesOf(networks: NetworkDocument[], podmanInterfaces?: Record<string, string>) {
  const engine = startFakeEngine({ networks, ...(podmanInterfaces && { podmanInterfaces, lateEventsMs: 1 }) });
  try {
    return await bridgeNetworks(await connect({ host: engine.host, ...docker }, {}));
  } finally {
    await engine.stop();
  }
}

const numbered = (name: string, third: number) =>
  network({ name, subnet: `172.40.${third}.0/24`, gateway: `172.40.${third}.1` });

describe("the bridges of an engine", () => {
  test("of Docker are the one that is named, else br- and the id's first twelve characters", async () => {
    const shop = numbered("shop", 1);
    const named = { ...numbered("bridge", 2), Options: { "com.docker.network.bridge.name": "docker0" } };
    expect(await bridgesOf([shop, named])).toEqual([
      {
        ...{ network: "bridge", interfaceName: "docker0", internal: false },
        ...{ subnets: ["172.40.2.0/24"], gateways: ["172.40.2.1"] },
      },
      {
        ...{ network: "shop", interfaceName: `br-${shop.Id.slice(0, 12)}`, internal: false },
        ...{ subnets: ["172.40.1.0/24"], gateways: ["172.40.1.1"] },
      },
    ]);
  });

  test("have the gateways that the engine says, in one spelling, without a prefix", async () => {
    const Config = [
      { Subnet: "172.40.4.0/24", Gateway: "172.40.4.1/24" },
      { Subnet: "fd00:4::/64", Gateway: "FD00:4:0::1" },
      { Subnet: "172.40.5.0/24", Gateway: "" },
    ];
    const shop = { ...numbered("shop", 4), IPAM: { Driver: "default", Config } };
    expect(await bridgesOf([shop])).toMatchObject([{ gateways: ["172.40.4.1", "fd00:4::1"] }]);
  });

  test("of other drivers are none", async () => {
    const others = ["host", "null", "macvlan", "overlay"].map((Driver, index) => ({
      ...numbered(Driver, index),
      Driver,
    }));
    expect(await bridgesOf(others)).toEqual([]);
  });

  test("of internal networks say so", async () => {
    expect(await bridgesOf([{ ...numbered("inner", 3), Internal: true }])).toMatchObject([{ internal: true }]);
  });

  test("of Podman are those that its own API names", async () => {
    const [one, two] = [numbered("a", 1), numbered("b", 2)];
    expect(await bridgesOf([one, two], { [one.Id]: "podman0" })).toMatchObject([
      { network: "a", interfaceName: "podman0" },
      { network: "b", interfaceName: undefined },
    ]);
  });
});
