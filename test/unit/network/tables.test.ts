import { expect, test } from "bun:test";
import type { Machine } from "../../../src/network/machine.ts";
import { readTables } from "../../../src/network/tables.ts";

/** A machine whose table filter is listed so. */
function machine(filter: { exitCode: number; output: string }): Machine {
  return {
    run: async (command) => (command.includes("filter") ? filter : { exitCode: 3, output: "Table does not exist" }),
    routeLocalnet: () => undefined,
    setRouteLocalnet: () => {},
    ifindex: () => undefined,
    nameOf: () => undefined,
  };
}

test("the rules of a table are known, and one that is not there has none", async () => {
  const output = "-P INPUT ACCEPT\n-N C\n-A INPUT -j C";
  const rule = { table: "filter", chain: "INPUT", words: ["-j", "C"] } as const;
  expect(await readTables(machine({ exitCode: 0, output }))).toEqual([rule]);
  expect(await readTables(machine({ exitCode: 3, output: "Table does not exist" }))).toEqual([]);
});

for (const [why, exitCode, output, hint] of [
  ["that nft wrote to", 1, "table `filter' is incompatible, use 'nft' tool.", /what nft put there/],
  ["that nft wrote to, in older words", 3, "Parsing nftables rule failed", /what nft put there/],
  ["without nf_tables", 1, "Failed to initialize nft: Protocol not supported", /modules/],
  // As the legacy iptables refuses who has not the right to ask.
  ["without the right to", 3, "can't initialize iptables table `filter': Permission denied", /NET_ADMIN/],
  ["while others hold the lock", 4, "Another app is currently holding the xtables lock", /has ended/],
] as const) {
  test(`a table that cannot be read, ${why}, is an error that says what to do`, async () => {
    await expect(readTables(machine({ exitCode, output }))).rejects.toThrow(
      expect.objectContaining({
        ...{ code: "network-failed", message: `iptables -w 5 -t filter -S failed with ${exitCode}: ${output}` },
        hint: expect.stringMatching(hint),
      }) as Error,
    );
  });
}
