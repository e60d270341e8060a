import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import { container } from "../../support/containers.ts";

const inspect = (options: Partial<Parameters<typeof container>[0]> = {}) => container({ name: "web", ...options });

describe("networks", () => {
  const attachmentsOf = (endpoint: object) =>
    toContainer({ ...inspect(), NetworkSettings: { Networks: { n: endpoint } } }).endpoints;
  test("have their addresses in one spelling", () => {
    const endpoint = {
      NetworkID: "id",
      IPAddress: "172.18.0.2",
      GlobalIPv6Address: "FD00:0:0:0:0::2",
      Gateway: "172.18.0.1",
      IPv6Gateway: "FD00:0:0:0::1",
      MacAddress: "02:42:AC:12:00:02",
    };
    expect(attachmentsOf(endpoint)).toEqual([
      {
        name: "n",
        networkId: "id",
        ipv4: "172.18.0.2",
        ipv6: "fd00::2",
        gateways: ["172.18.0.1", "fd00::1"],
        macAddress: "02:42:ac:12:00:02",
        aliases: [],
      },
    ]);
  });
  test("without addresses stay, without any", () => {
    const none = {
      name: "n",
      networkId: "",
      ipv4: undefined,
      ipv6: undefined,
      gateways: [],
      macAddress: undefined,
      aliases: [],
    };
    const empty = { IPAddress: "", GlobalIPv6Address: "", Gateway: "", IPv6Gateway: "", MacAddress: "" };
    expect(attachmentsOf(empty)).toEqual([none]);
    expect(attachmentsOf({ NetworkID: null, IPAddress: null, Gateway: null })).toEqual([none]);
  });
  test("of Podman are called as its list of networks has them", () => {
    const called = (name: string, NetworkID: string) =>
      toContainer({ ...inspect(), NetworkSettings: { Networks: { [name]: { NetworkID } } } }).endpoints.map(
        (endpoint) => [endpoint.name, endpoint.networkId],
      );
    expect(called("podman", "podman")).toEqual([["bridge", "bridge"]]);
    expect(called("shop", "shop")).toEqual([["shop", "shop"]]);
    // A network that a user of Docker called so.
    expect(called("podman", "4f0c")).toEqual([["podman", "4f0c"]]);
  });
  for (const mode of ["host", "none"]) {
    test(`are one of the name ${mode} in that mode, whether the engine says it or not`, () => {
      const named = (Networks: object) =>
        toContainer({ ...inspect({ networkMode: mode }), NetworkSettings: { Networks } as never }).endpoints;
      expect(named({})).toMatchObject([{ name: mode, ipv4: undefined, ipv6: undefined, gateways: [] }]);
      expect(named({ [mode]: { NetworkID: "4f0c" } })).toMatchObject([{ name: mode, networkId: "4f0c" }]);
    });
  }
  test("are none where the engine says none of a bridge", () => {
    expect(toContainer(inspect({ networkMode: "bridge" })).endpoints).toEqual([]);
  });
  for (const [networkMode, owner] of [
    ["container:4f0c", "4f0c"],
    ["container:web", "web"],
    ["bridge", undefined],
    ["host", undefined],
    ["my-container:x", undefined],
  ] as const) {
    test(`of the mode ${networkMode} are ${owner ?? "its own"}`, () => {
      expect(toContainer(inspect({ networkMode })).networkOwner).toBe(owner);
    });
  }
});
