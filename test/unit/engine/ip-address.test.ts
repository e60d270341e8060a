import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { canonicalAddress, contains } from "../../../src/engine/ip-address.ts";

describe("an address has one spelling", () => {
  for (const [given, expected] of [
    ["10.0.0.2", "10.0.0.2"],
    ["::ffff:10.0.0.2", "10.0.0.2"],
    ["::FFFF:10.0.0.2", "10.0.0.2"],
    ["::ffff:a00:2", "10.0.0.2"],
    ["::FFFF:0A00:0002", "10.0.0.2"],
    ["0:0:0:0:0:ffff:10.0.0.2", "10.0.0.2"],
    ["0:0:0:0:0:ffff:a00:2", "10.0.0.2"],
    ["::ffff:10.0.0.2%eth0", "10.0.0.2"],
    ["::ffff:0:0", "0.0.0.0"],
    ["::ffff:255.255.255.255", "255.255.255.255"],
    ["::fffe:a00:2", "::fffe:a00:2"],
    ["::ffff:0:a00:2", "::ffff:0:a00:2"],
    ["64:ff9b::10.0.0.2", "64:ff9b::a00:2"],
    ["fd00:0:0:0:0:0:0:2", "fd00::2"],
    ["FD00::A", "fd00::a"],
    ["fd00:0:0:1:0:0:0:2", "fd00:0:0:1::2"],
    ["fe80::1%eth0", "fe80::1"],
    ["fd00::2/64", "fd00::2"],
    ["::1", "::1"],
    ["::", "::"],
    ["", ""],
    ["no:address", "no:address"],
  ] as const) {
    test(`${given || "nothing"} is ${expected || "nothing"}`, () => expect(canonicalAddress(given)).toBe(expected));
  }

  test("which is its own", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const canonical = canonicalAddress(address);
        expect(canonicalAddress(canonical)).toBe(canonical);
      }),
    );
  });

  test("which is that of IPv4, whatever its clothes", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
        const groups = [a * 256 + b, c * 256 + d].map((group) => group.toString(16)).join(":");
        for (const clothes of [address, groups]) {
          expect(canonicalAddress(`::ffff:${clothes}`)).toBe(address);
          expect(canonicalAddress(`0:0:0:0:0:FFFF:${clothes}`)).toBe(address);
        }
      }),
    );
  });
});

describe("a subnet contains", () => {
  for (const [cidr, address, expected] of [
    ["172.18.0.0/16", "172.18.255.254", true],
    ["172.18.0.0/16", "172.19.0.1", false],
    ["172.18.0.8/29", "172.18.0.15", true],
    ["172.18.0.8/29", "172.18.0.16", false],
    ["172.18.0.8/29", "172.18.0.7", false],
    ["10.0.0.2/32", "10.0.0.2", true],
    ["10.0.0.2/32", "10.0.0.3", false],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["10.0.0.0/33", "10.0.0.0", false],
    ["10.0.0.0", "10.0.0.0", false],
    ["10.0.0.0/", "10.0.0.0", false],
    ["fd00:1::/64", "fd00:1::ff", true],
    ["fd00:1::/64", "fd00:1:0:1::ff", false],
    ["fd00:1:2:3:4:5:6:0/112", "fd00:1:2:3:4:5:6:ffff", true],
    ["fd00:1:2:3:4:5:6:0/112", "fd00:1:2:3:4:5:7:0", false],
    ["::/0", "fd00::1", true],
    ["fd00::/129", "fd00::", false],
    ["172.18.0.0/16", "fd00::1", false],
    ["::/0", "10.0.0.1", false],
    ["10.0.0.0/8", "::ffff:10.0.0.1", true],
    ["10.0.0.0/8", "::ffff:a00:1", true],
    ["10.0.0.0/8", "::ffff:11.0.0.1", false],
    ["fd00::/64", "::ffff:10.0.0.1", false],
    ["::/0", "::ffff:10.0.0.1", false],
    ["::ffff:10.0.0.0/96", "fd00::1", false],
    ["::ffff:10.0.0.0/96", "10.0.0.1", false],
    ["nonsense", "172.18.0.1", false],
    ["10.0.0.0/8", "nonsense", false],
    ["10.0.0.0/8", "10.0.0.256", false],
    ["10.0.0.0/8", "10.0.0", false],
    ["10.0.0.256/8", "10.0.0.1", false],
    ["fd00::/64", "fd00:::1", false],
    ["fd00::/64", "fd00::1]", false],
    ["fd00::/64", "fd00::1%eth0", true],
    ["fd00::/64", "fd00:0:0:1::1%eth0", false],
  ] as const) {
    test(`${cidr} ${expected ? "has" : "has not"} ${address}`, () => expect(contains(cidr, address)).toBe(expected));
  }
});
