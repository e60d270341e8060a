import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  foreignJumps,
  isInPlace,
  JUMPS,
  lineOf,
  removeText,
  restoreText,
  rulesOf,
  type Table,
} from "../../../src/network/rules.ts";

const TABLES: readonly Table[] = ["raw", "filter", "nat"];
const rules = rulesOf(51679, [
  { name: "docker0", was: "0" },
  { name: "br-1", was: "1" },
]);

/** What `iptables -S` lists after a restore into an empty table. */
function listedAfter(table: Table, text: string): string[] {
  const lines = text.split("\n");
  const chains = lines.flatMap((line) => /^:(\S+) /.exec(line)?.[1] ?? []);
  const added = lines.filter((line) => line.startsWith("-A "));
  const jumps = lines.flatMap((line) => /^-I (\S+) 1 (.*)$/.exec(line)?.slice(1) ?? []);
  expect(lines[0]).toBe(`*${table}`);
  expect(text).toEndWith("\nCOMMIT\n");
  const inserted = Array.from({ length: jumps.length / 2 }, (_, i) => `-A ${jumps[2 * i]} ${jumps[2 * i + 1]}`);
  return ["-P INPUT ACCEPT", ...chains.map((name) => `-N ${name}`), ...inserted, ...added];
}

describe("the rules", () => {
  test("are in place after their restore, which is then not repeated", () => {
    for (const table of TABLES) {
      const listed = listedAfter(table, restoreText(table, rules, []));
      expect(isInPlace(table, rules, [])).toBeFalse();
      expect(isInPlace(table, rules, listed)).toBeTrue();
      expect(restoreText(table, rules, listed)).not.toContain("-I ");
      expect(isInPlace(table, rulesOf(1, []), listed)).toBe(false);
    }
  });
  test("let a bridge in to the port only, unless it was open before", () => {
    const input = rules.filter(({ table }) => table === "filter").map(({ text }) => text);
    expect(input.filter((text) => text.endsWith("-j ACCEPT"))).toHaveLength(2);
    expect(input.filter((text) => text.endsWith("-j DROP"))).toEqual([expect.stringContaining("-i docker0 ")]);
  });
  test("never drop or accept anything that is not about 127.0.0.0/8 or 169.254.170.2", () => {
    for (const { text } of [...rules, ...JUMPS]) {
      expect(text).toMatch(/127\.0\.0\.|169\.254\.170\.2\/32|^! -i lo .*-j ECS-LOCAL-GUARD$/);
    }
  });
  test("are removed with every copy of their jumps, and with nothing if there are none", () => {
    for (const table of TABLES) {
      const listed = listedAfter(table, restoreText(table, rules, []));
      const twice = [...listed, ...JUMPS.filter((jump) => jump.table === table).map(lineOf)];
      const text = removeText(table, twice) ?? "";
      const jumps = JUMPS.filter((jump) => jump.table === table).length;
      expect(text.match(/^-D /gm)).toHaveLength(2 * jumps);
      expect(text.match(/^-X /gm)).toHaveLength(jumps);
      expect(removeText(table, ["-P INPUT ACCEPT"])).toBeUndefined();
    }
  });
});

describe("rules of other programs", () => {
  test("that lead to a chain of ours are found with their number", () => {
    const listed = [
      "-A INPUT -i lo -j ACCEPT",
      lineOf(JUMPS[1] as (typeof JUMPS)[number]),
      "-A INPUT -s 10.9.9.9/32 -j ECS-LOCAL-INPUT",
      "-A FORWARD -g ECS-LOCAL-INPUT",
    ];
    expect(foreignJumps("filter", listed)).toEqual([
      { chain: "INPUT", number: 3, line: "-A INPUT -s 10.9.9.9/32 -j ECS-LOCAL-INPUT" },
      { chain: "FORWARD", number: 1, line: "-A FORWARD -g ECS-LOCAL-INPUT" },
    ]);
    expect(foreignJumps("nat", listed)).toEqual([]);
  });
  test("are never found by the text of a comment", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const comment = JSON.stringify(`-j ECS-LOCAL-INPUT ${text}`);
        expect(foreignJumps("filter", [`-A FORWARD -m comment --comment ${comment} -j ACCEPT`])).toEqual([]);
      }),
    );
  });
});
