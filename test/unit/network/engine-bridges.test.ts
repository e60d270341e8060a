import { afterEach, describe, expect, test } from "bun:test";
import { connect } from "../../../src/engine/client.ts";
import { bridgeNetworks } from "../../../src/network/engine-bridges.ts";
import { startFakeEngine } from "../../support/fake-engine.ts";
import { type NetworkDocument, network } from "../../support/networks.ts";

const docker = { apiVersion: undefined, certPath: undefined, tlsVerify: false };
let engine: ReturnType<typeof startFakeEngine>;
afterEach(() => engine.stop());

async function bridgesOf(networks: NetworkDocument[], podmanInterfaces?: Record<string, string>) {
  engine = startFakeEngine({ networks, ...(podmanInterfaces && { podmanInterfaces, lateEventsMs: 1 }) });
  return bridgeNetworks(await connect({ host: engine.host, ...docker }, {}));
}

const of = (name: string, third: number) =>
  network({ name, subnet: `172.40.${third}.0/24`, gateway: `172.40.${third}.1` });

describe("the bridges", () => {
  test("of Docker are the one that is named, else br- and the id's first twelve characters", async () => {
    const shop = of("shop", 1);
    const named = { ...of("bridge", 2), Options: { "com.docker.network.bridge.name": "docker0" } };
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
    expect(engine.requests).toEqual(["/version", "/networks"]);
  });

  test("have the gateways that the engine says, in one spelling, without a prefix", async () => {
    const Config = [
      { Subnet: "172.40.4.0/24", Gateway: "172.40.4.1/24" },
      { Subnet: "fd00:4::/64", Gateway: "FD00:4:0::1" },
      { Subnet: "172.40.5.0/24", Gateway: "" },
    ];
    const shop = { ...of("shop", 4), IPAM: { Driver: "default", Config } };
    expect(await bridgesOf([shop])).toMatchObject([{ gateways: ["172.40.4.1", "fd00:4::1"] }]);
  });

  test("of other drivers are none", async () => {
    const others = ["host", "null", "macvlan", "overlay"].map((Driver, index) => ({ ...of(Driver, index), Driver }));
    expect(await bridgesOf(others)).toEqual([]);
  });

  test("of internal networks say so", async () => {
    expect(await bridgesOf([{ ...of("inner", 3), Internal: true }])).toMatchObject([{ internal: true }]);
  });

  test("of Podman are those that its own API names", async () => {
    const [one, two] = [of("a", 1), of("b", 2)];
    expect(await bridgesOf([one, two], { [one.Id]: "podman0" })).toMatchObject([
      { network: "a", interfaceName: "podman0" },
      { network: "b", interfaceName: undefined },
    ]);
  });
});
