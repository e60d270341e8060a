import { describe, expect, test } from "bun:test";
import { chainAtEnd, isSameRule, optionOf, readRules } from "../../../src/network/listed-rules.ts";

const words = (line: string) => readRules(`-A C ${line}`)[0]?.words;

describe("a rule as iptables lists it", () => {
  test("is words, and policies and chains are none", () => {
    const listed = "-P INPUT ACCEPT\n-N C\n-A INPUT ! -i lo -j C\n-A C -g D";
    expect(readRules(listed)).toEqual([
      { chain: "INPUT", words: ["!", "-i", "lo", "-j", "C"] },
      { chain: "C", words: ["-g", "D"] },
    ]);
    expect(readRules("")).toEqual([]);
  });

  for (const [title, said, meant] of [
    ["blanks", '"a b  c"', "a b  c"],
    ["what a shell heeds", '"$(x) `y` ; z"', "$(x) `y` ; z"],
    ["quotes and backslashes, escaped", String.raw`"\"q\" it\'s a\\b"`, String.raw`"q" it's a\b`],
    ["ends of lines", '"a\n-A b"', "a\n-A b"],
    ["nothing", '""', ""],
  ] as const) {
    test(`has a word with ${title}`, () => {
      expect(words(`-m comment --comment ${said} -j DROP`)).toEqual([
        "-m",
        "comment",
        "--comment",
        meant,
        "-j",
        "DROP",
      ]);
    });
  }

  test("with a backslash that is not escaped, as of -m string, hides no other rule", () => {
    const listed = String.raw`-A C -m string --string "a\" -j DROP
-A C -m comment --comment "x y" -j DROP
-A D -j C`;
    expect(readRules(listed).map(({ chain }) => chain)).toEqual(["C", "C", "D"]);
    expect(words(String.raw`--string "a\b"`)).toEqual(["--string", String.raw`a\b`]);
  });
});

test("a value is that of its own option, and a negated one is none", () => {
  const [rule = { chain: "", words: [] }] = readRules('-A C ! -i lo --comment "a -s 1" -d 2');
  const found = ["-i", "-s", "--comment", "-d"].map((option) => optionOf(rule, option));
  expect(found).toEqual([undefined, undefined, "a -s 1", "2"]);
});

test("the chain that a rule leads to stands at its end", () => {
  const chains = [
    "-j X",
    "-p tcp -g X",
    "-m comment --comment -j",
    '-m comment --comment "-j X"',
    "-j LOG --log-prefix -j",
  ];
  const found = readRules(chains.map((rule) => `-A C ${rule}`).join("\n")).map(chainAtEnd);
  expect(found).toEqual(["X", "X", undefined, undefined, undefined]);
});

test("rules are the same whatever the order of their options, but not with other values or negations", () => {
  const rule = ["!", "-i", "lo", "-d", "1", "-j", "DROP"];
  expect(isSameRule(rule, ["-d", "1", "!", "-i", "lo", "-j", "DROP"])).toBeTrue();
  expect(isSameRule(rule, ["!", "-d", "1", "-i", "lo", "-j", "DROP"])).toBeFalse();
  expect(isSameRule(rule, ["!", "-i", "lo", "-d", "2", "-j", "DROP"])).toBeFalse();
  expect(isSameRule(rule, ["!", "-i", "lo", "-j", "DROP"])).toBeFalse();
});
