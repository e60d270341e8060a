import { describe, expect, test } from "bun:test";
import { reachOf } from "../../../src/commands/startup-log.ts";

const subnets = () => ["192.168.1.5/24", "172.17.0.1/16", "fd00::5/64"];

describe("who can reach", () => {
  for (const [address, reach] of [
    ["127.0.0.1", /^this machine only$/],
    ["127.0.0.2", /^this machine only$/],
    ["::1", /^this machine only$/],
    ["localhost", /^this machine only$/],
    ["0.0.0.0", /^this machine and 192\.168\.1\.0\/24, 172\.17\.0\.0\/16;/],
    ["::", /^this machine and 192\.168\.1\.0\/24, 172\.17\.0\.0\/16, fd00::5\/64;/],
    ["172.17.0.1", /^this machine and 172\.17\.0\.0\/16;/],
    ["10.1.1.1", /whatever is routed here$/],
  ] as const) {
    test(`${address} is said`, () => expect(reachOf(address, subnets, () => false)).toMatch(reach));
  }
  test("all addresses of a machine with many networks is cut", () => {
    const many = () => Array.from({ length: 20 }, (_, index) => `10.${index}.0.1/24`);
    expect(reachOf("0.0.0.0", many, () => false)).toContain("10.7.0.0/24 and 12 more");
  });
  test("a container says who counts until an engine is reached", () => {
    expect(reachOf("0.0.0.0", subnets, () => true)).toEndWith(
      "ECS_LOCAL_ALLOWED_NETWORKS, and until an engine is reached the container networks of this one",
    );
    expect(reachOf("127.0.0.1", subnets, () => true)).toBe("this machine only");
  });
});
