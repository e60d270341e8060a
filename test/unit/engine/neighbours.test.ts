import { describe, expect, test } from "bun:test";
import { macAddressOf } from "../../../src/engine/podman.ts";

const HEAD = "IP address       HW type     Flags       HW address            Mask     Device\n";
const line = (ip: string, flags: string, mac: string, device = "br-1") =>
  `${ip.padEnd(17)}0x1         ${flags}         ${mac}     *        ${device}\n`;
const MAC = "02:42:ac:12:00:02";
const table = HEAD + line("172.18.0.2", "0x2", MAC) + line("172.18.0.20", "0x2", "02:42:ac:12:00:14");

describe("the hardware address of", () => {
  for (const [title, address, text, expected] of [
    ["a neighbour is the kernel's", "172.18.0.2", table, MAC],
    ["a neighbour is in lower case", "172.18.0.2", line("172.18.0.2", "0x6", MAC.toUpperCase()), MAC],
    ["a neighbour that is listed twice alike is that", "172.18.0.2", table + table, MAC],
    [
      "two neighbours with one address is not known",
      "172.18.0.2",
      table + line("172.18.0.2", "0x2", "02:00:00:00:00:01", "br-2"),
      undefined,
    ],
    [
      "one that has not answered is not known",
      "172.18.0.2",
      HEAD + line("172.18.0.2", "0x0", "00:00:00:00:00:00"),
      undefined,
    ],
    [
      "one that has not answered does not hide one that has",
      "172.18.0.2",
      table + line("172.18.0.2", "0x0", "00:00:00:00:00:00", "br-2"),
      MAC,
    ],
    ["another that begins alike is not taken", "172.18.0", table, undefined],
    ["no neighbour is not known", "172.18.0.3", table, undefined],
    ["an IPv6 address is not known", "fd00::2", table, undefined],
    ["anybody is not known by an empty table", "172.18.0.2", "", undefined],
    ["an empty table has no address", "", table, undefined],
  ] as const) {
    test(title, () => expect(macAddressOf(address, () => text)).toBe(expected));
  }

  test("anybody is not known where there is no table", () => {
    const none = () => {
      throw new Error("ENOENT");
    };
    expect(macAddressOf("172.18.0.2", none)).toBeUndefined();
  });
});
