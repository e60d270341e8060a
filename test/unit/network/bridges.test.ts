import { describe, expect, test } from "bun:test";
import { connect } from "../../../src/engine/client.ts";
import { engineBridges, namedBridges, reasonAgainst } from "../../../src/network/bridges.ts";
import { createMachine } from "../../../src/network/machine.ts";
import { startFakeEngine } from "../../support/fake-engine.ts";
import { network } from "../../support/networks.ts";

const isLinux = process.platform === "linux";

describe("a network of the engine's", () => {
  const shop = {
    ...{ network: "shop", interfaceName: "br-1", internal: false },
    ...{ subnets: ["172.18.0.0/16", "fd00:1::/64"], gateways: ["172.18.0.1", "fd00:1::1"] },
  };
  const here = { isBridge: true, addresses: ["172.18.0.1/16", "fe80::1/64"] };
  const unsaid = { gateways: [] };
  for (const [title, changed, found, reason] of [
    ["is led to us", {}, here, undefined],
    ["is led to us by its gateway of IPv6", {}, { ...here, addresses: ["fd00:1:0::1/64"] }, undefined],
    ["whose gateway the engine does not say is led to us by its subnet", unsaid, here, undefined],
    ["whose bridge is elsewhere is left out", {}, undefined, /br-1 is not on this machine/],
    ["whose bridge nobody names is left out", { interfaceName: undefined }, here, /does not say which bridge/],
    ["whose bridge has a path for a name is left out", { interfaceName: "../../x" }, here, /no bridge can be called/],
    ["whose bridge is lo is left out", { interfaceName: "lo" }, here, /no bridge can be called 'lo'/],
    ["whose bridge is every interface is left out", { interfaceName: "all" }, here, /no bridge can be called 'all'/],
    ["whose bridge is a link is left out", {}, { ...here, isBridge: false }, /br-1 is no bridge/],
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
      /no address of 172\.18\.0\.0\/16, /,
    ],
    ["that is internal is left out", { internal: true }, here, /no way out/],
    ["that has the address itself is left out", { subnets: ["169.254.170.0/24"] }, here, /an address of its own/],
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
    await expect(engineBridges(await connect(docker, {}), createMachine({}, ""))).rejects.toThrow(
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
