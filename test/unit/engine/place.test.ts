import { describe, expect, test } from "bun:test";
import { placeOf } from "../../../src/engine/discover.ts";

const HERE = { addressesAreLocal: true, isCertain: true };
const ASKED = { addressesAreLocal: true, isCertain: false };
const DOUBTED = { addressesAreLocal: false, isCertain: false };
const ELSEWHERE = { addressesAreLocal: false, isCertain: true };
const hasAddress = (address: string) => address === "192.0.2.1" || address === "2001:db8::1";

describe("the networks of an engine", () => {
  for (const [title, isRoots, place] of [
    ["at a socket of root's are here", true, HERE],
    ["at a user's are elsewhere, until it has told", false, DOUBTED],
  ] as const) {
    test(title, async () => {
      const endpoint = { base: "http://docker", init: { unix: "/run/x.sock" } };
      expect(await placeOf(endpoint, hasAddress, () => (isRoots ? 0 : 1_000))).toEqual(place);
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
