import { describe, expect, test } from "bun:test";
import { canonicalAddress } from "../../../src/engine/container.ts";
import { discover, parseHost } from "../../../src/engine/discover.ts";
import { contains } from "../../../src/engine/picture.ts";

describe("a subnet contains", () => {
  for (const [cidr, address, expected] of [
    ["172.18.0.0/16", "172.18.255.254", true],
    ["172.18.0.0/16", "172.19.0.1", false],
    ["172.18.0.8/29", "172.18.0.15", true],
    ["172.18.0.8/29", "172.18.0.16", false],
    ["fd00:1::/64", "fd00:1::ff", true],
    ["fd00:1::/64", "fd00:1:0:1::ff", false],
    ["172.18.0.0/16", "fd00::1", false],
    ["nonsense", "172.18.0.1", false],
  ] as const) {
    test(`${cidr} ${expected ? "has" : "has not"} ${address}`, () => expect(contains(cidr, address)).toBe(expected));
  }
});

test("an address has one spelling", () => {
  expect(canonicalAddress("::ffff:10.0.0.2")).toBe("10.0.0.2");
  expect(canonicalAddress("fd00:0:0:0:0:0:0:2")).toBe("fd00::2");
  expect(canonicalAddress("fe80::1%eth0")).toBe("fe80::1");
});

describe("DOCKER_HOST", () => {
  const plain = { certPath: undefined, tlsVerify: false };
  test("is a socket or an address", () => {
    expect(parseHost("unix:///run/x.sock", plain).init.unix).toBe("/run/x.sock");
    expect(parseHost("tcp://127.0.0.1", plain)).toMatchObject({
      target: "tcp://127.0.0.1:2375",
      base: "http://127.0.0.1:2375",
    });
    expect(parseHost("tcp://10.0.0.5:2376", { ...plain, tlsVerify: true }).base).toBe("https://10.0.0.5:2376");
  });
  test("of another kind is refused with its value", () => {
    expect(() => parseHost("ssh://me@host", plain)).toThrow("ssh://me@host");
  });
});

test("where no engine is, what was tried is listed", () => {
  const docker = { host: undefined, apiVersion: undefined, certPath: undefined, tlsVerify: false };
  expect(() => discover(docker, { HOME: "/nowhere" }, () => false)).toThrow(
    /tried unix:\/\/\/var\/run\/docker.sock, .*colima/,
  );
});
