import { describe, expect, test } from "bun:test";
import { engineBridges, namedBridges, reasonAgainst } from "../../../src/commands/network-bridges.ts";
import { connect } from "../../../src/engine/connect.ts";
import { startFakeEngine } from "../../support/fake-engine.ts";
import { network } from "../../support/networks.ts";

const isLinux = process.platform === "linux";

describe("a network of the engine's", () => {
  const shop = { network: "shop", interfaceName: "br-1", internal: false, subnets: ["172.18.0.0/16"] };
  for (const [title, changed, there, reason] of [
    ["is led to us", {}, true, undefined],
    ["whose bridge is elsewhere is left out", {}, false, /br-1 is not on this machine/],
    ["whose bridge nobody names is left out", { interfaceName: undefined }, true, /does not say which bridge/],
    [
      "whose bridge has a path for a name is left out",
      { interfaceName: "../../x" },
      true,
      /no interface can be called/,
    ],
    ["that is internal is left out", { internal: true }, true, /no way out/],
    ["that has the address itself is left out", { subnets: ["169.254.170.0/24"] }, true, /an address of its own/],
    [
      "that has the address in its second subnet is left out",
      { subnets: ["fd00::/64", "169.254.0.0/16"] },
      true,
      /own/,
    ],
  ] as const) {
    test(title, () => {
      const said = reasonAgainst({ ...shop, ...changed }, () => there);
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
    await expect(engineBridges(await connect(docker, {}))).rejects.toThrow(
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

  for (const name of ["nope0", "lo", "all", "a/b", "..", ""]) {
    test(`by the name '${name}' are refused with the name`, () => {
      expect(() => namedBridges([name])).toThrow(
        expect.objectContaining({ code: "bad-configuration", message: expect.stringContaining(`'${name}'`) }) as Error,
      );
    });
  }
});
