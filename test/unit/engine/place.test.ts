import { describe, expect, test } from "bun:test";
import { isSocketOfRoot, placeOf } from "../../../src/engine/place.ts";

const HERE = { isElsewhere: false, isSure: true };
const ASKED = { isElsewhere: false, isSure: false };
const DOUBTED = { isElsewhere: true, isSure: false };
const ELSEWHERE = { isElsewhere: true, isSure: true };
const hasAddress = (address: string) => address === "192.0.2.1" || address === "2001:db8::1";

describe("the networks of an engine", () => {
  for (const [title, isRoots, place] of [
    ["at a socket of root's are here", true, HERE],
    ["at a user's are elsewhere, until it has told", false, DOUBTED],
  ] as const) {
    test(title, async () => {
      const endpoint = { base: "http://docker", init: { unix: "/run/x.sock" } };
      expect(await placeOf(endpoint, hasAddress, () => isRoots)).toEqual(place);
    });
  }
  for (const [base, place] of [
    ["http://127.0.0.1:2375", ASKED],
    ["http://localhost:2375", ASKED],
    ["https://[::1]:2376", ASKED],
    ["http://192.0.2.1:2375", ASKED],
    ["http://[2001:DB8:0::1]:2375", ASKED],
    ["http://192.0.2.2:2375", ELSEWHERE],
    ["https://[2001:db8::2]:2376", ELSEWHERE],
    ["http://nowhere.invalid:2375", ELSEWHERE],
  ] as const) {
    test(`at ${base} are ${place === ASKED ? "here, unless it says otherwise" : "elsewhere"}`, async () => {
      expect(await placeOf({ base, init: {} }, hasAddress)).toEqual(place);
    });
  }
});

describe("a socket is root's", () => {
  const all = "         0          0 4294967295\n";
  const asRoot = (path: string) => (path === "/root.sock" ? 0 : 1_000);
  const gone = () => {
    throw new Error("ENOENT");
  };
  for (const [title, path, ownerOf, readMap, is] of [
    ["where root owns it", "/root.sock", asRoot, () => all, true],
    ["not where a user owns it", "/user.sock", asRoot, () => all, false],
    [
      "not in a user namespace, where a user looks like root",
      "/root.sock",
      asRoot,
      () => "0 1000 1\n1 100000 65536\n",
      false,
    ],
    ["not where it is gone", "/root.sock", gone, () => all, false],
    ["not where the kernel does not tell", "/root.sock", asRoot, gone, false],
  ] as const) {
    test(title, () => expect(isSocketOfRoot(path, ownerOf, readMap)).toBe(is));
  }
});
