import { describe, expect, test } from "bun:test";
import type { NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { createOwnAddresses, defaultGateways, isInContainer, isLoopback } from "../../../src/engine/self.ts";

const entry = (cidr: string, internal = false) =>
  ({ address: cidr.split("/")[0], cidr, internal }) as unknown as NetworkInterfaceInfo;
let interfaces: ReturnType<typeof networkInterfaces> = {};
let at = 0;
const start = (next: ReturnType<typeof networkInterfaces>) => {
  interfaces = next;
  at = 0;
  return createOwnAddresses(
    () => at,
    () => interfaces,
    (name) => name !== "lan0",
  );
};

describe("our own addresses", () => {
  test("are those of every interface, in one spelling", () => {
    const own = start({ lo: [entry("127.0.0.1/8", true)], eth0: [entry("10.0.0.5/24"), entry("FD00:0::5/64")] });
    expect(["127.0.0.1", "10.0.0.5", "fd00::5", "10.0.0.6", "fd00::6"].map(own.has)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
  test("have the networks of all interfaces but loopback", () => {
    const own = start({
      lo: [entry("127.0.0.1/8", true)],
      eth0: [entry("10.0.0.5/24"), entry("fe80::5/64")],
      lan0: [entry("192.168.1.5/24")],
    });
    expect(own.subnets()).toEqual(["10.0.0.5/24", "192.168.1.5/24"]);
    const asked = ["10.0.0.9", "10.0.1.9", "127.0.0.9", "fe80::9", "192.168.1.9"];
    expect(asked.map(own.isInContainerSubnet)).toEqual([true, false, false, false, false]);
  });
  test("are none of a link, which others have on other links", () => {
    const own = start({ eth0: [entry("fe80::5/64"), entry("FEBF::6/64"), entry("fec0::7/64")] });
    expect(["fe80::5", "febf::6", "fec0::7"].map(own.has)).toEqual([false, false, true]);
  });
  test("are read again after a second, and not before", () => {
    const own = start({ eth0: [entry("10.0.0.5/24")] });
    expect(own.has("10.0.0.5")).toBe(true);
    interfaces = { eth1: [entry("10.1.0.5/24")] };
    at = 999;
    expect(own.has("10.1.0.5")).toBe(false);
    at = 1_000;
    expect([own.has("10.1.0.5"), own.has("10.0.0.5")]).toEqual([true, false]);
  });
});

test("loopback is 127.0.0.0/8 and ::1", () => {
  expect(["127.0.0.1", "127.9.9.9", "::1"].every(isLoopback)).toBe(true);
  expect(["128.0.0.1", "12.7.0.1", "::2", "", "10.127.0.1"].some(isLoopback)).toBe(false);
});

describe("a container to run in is told", () => {
  const id = "a".repeat(64);
  const none = () => "";
  for (const [title, path, text, expected] of [
    ["by Docker's file", "/.dockerenv", "", true],
    ["by Podman's file", "/run/.containerenv", "", true],
    ["by what is mounted over its hosts", "", `1 2 /var/lib/x/${id}/hosts /etc/hosts rw`, true],
    ["not by a mount elsewhere", "", `1 2 /var/lib/x/${id}/data /etc/data rw`, false],
    ["by nothing on a host", "", "", false],
  ] as const) {
    test(title, () => {
      expect(
        isInContainer(
          (asked) => asked === path,
          () => text,
        ),
      ).toBe(expected);
    });
  }
  test("not where there is no /proc", () => {
    const fails = () => {
      throw new Error("ENOENT");
    };
    expect([isInContainer(() => false, fails), isInContainer(() => false, none)]).toEqual([false, false]);
  });
});

describe("the default gateway", () => {
  const head = "Iface\tDestination\tGateway \tFlags\n";
  for (const [title, table, gateway] of [
    ["is read last byte first", `${head}eth0\t00000000\t0102000A\t0003\n`, "10.0.2.1"],
    ["is that of the default route alone", `${head}eth0\t0002000A\t0102000A\t0003\n`, undefined],
    ["is none of a route without one", `${head}eth0\t00000000\t00000000\t0001\n`, undefined],
    ["is none of an empty table", "", undefined],
  ] as const) {
    test(title, () =>
      expect(defaultGateways((path) => (path.endsWith("/route") ? table : ""))).toEqual(
        gateway === undefined ? [] : [gateway],
      ),
    );
  }
});

test("the kernel's default gateways are of both families", () => {
  const none = "0".repeat(32);
  const six = [
    `${none} 00 ${none} 00 fd000000000000000000000000000001 00000400 00000001 00000000 00000003 eth0`,
    `fd000000000000000000000000000000 40 ${none} 00 ${none} 00000100 00000001 00000000 00000001 eth0`,
    `${none} 00 ${none} 00 ${none} ffffffff 00000001 00000000 00200200 lo`,
  ].join("\n");
  const four = "Iface\tDestination\tGateway\neth0\t00000000\t010011AC\neth1\t00000000\t010012AC\n";
  const gateways = defaultGateways((path) => (path === "/proc/net/route" ? four : six));
  expect(gateways).toEqual(["172.17.0.1", "172.18.0.1", "fd00::1"]);
  expect(
    defaultGateways(() => {
      throw new Error("no /proc");
    }),
  ).toEqual([]);
});
