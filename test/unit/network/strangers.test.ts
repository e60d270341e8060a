import { describe, expect, test } from "bun:test";
import { readRules } from "../../../src/network/listed-rules.ts";
import { findStrangers, refuseStrangers } from "../../../src/network/strangers.ts";

/** The rules of the table filter, as `iptables -S` lists them. */
function filter(...rules: string[]) {
  return rules.flatMap((rule) => readRules(`-A ${rule}`)).map((rule) => ({ ...rule, table: "filter" as const }));
}

const found = (...rules: string[]) => findStrangers(filter(...rules)).map(({ rule }) => rule);

describe("a rule is somebody else's", () => {
  test("in a chain of ours, or where it leads to one, unless its comment is ours", () => {
    const ours = "-m comment --comment ecs-local-endpoints";
    const jump = `INPUT -d 127.0.0.0/8 ! -i lo ${ours} -j ECS-LOCAL-INPUT`;
    expect(found(jump, jump, `ECS-LOCAL-INPUT ${ours} -j DROP`)).toEqual([]);
    const others = ["INPUT -j ECS-LOCAL-INPUT", "FORWARD -g ECS-LOCAL-INPUT", "ECS-LOCAL-INPUT -j DROP"];
    expect(found(...others)).toEqual(others);
  });

  test("where it leads to a chain of ours with our comment, and is not the rule that up makes", () => {
    const end = "-m comment --comment ecs-local-endpoints -j ECS-LOCAL-INPUT";
    const others = [`FORWARD ! -i lo -d 127.0.0.0/8 ${end}`, `INPUT ${end}`, `INPUT -i lo -d 127.0.0.0/8 ${end}`];
    expect(found(...others)).toEqual(others);
  });

  test("though its comment has ours in it", () => {
    for (const comment of ['"a --comment ecs-local-endpoints b"', '"ecs-local-endpoints "', "ecs-local-endpoints2"]) {
      expect(found(`ECS-LOCAL-INPUT -m comment --comment ${comment} -j DROP`), comment).toHaveLength(1);
    }
  });

  test("though it has a second comment, or text that no quotes show to be one, as a list's name", () => {
    const ours = "-m comment --comment ecs-local-endpoints";
    for (const rule of [
      `-m comment --comment a ${ours} -j DROP`,
      `${ours} -m comment --comment a -j DROP`,
      `${ours} ${ours} -j DROP`,
      "-m recent --set --name a --comment ecs-local-endpoints --mask 255.255.255.255 --rsource -j DROP",
      `-m recent --set --name a ${ours} --mask 255.255.255.255 --rsource -j DROP`,
    ]) {
      expect(found(`ECS-LOCAL-INPUT ${rule}`), rule).toHaveLength(1);
    }
  });

  test("but none of our business where only its text names a chain of ours", () => {
    for (const rule of [
      'INPUT -m comment --comment "before -j ECS-LOCAL-INPUT here" -j DROP',
      'INPUT -j LOG --log-prefix "-g ECS-LOCAL-INPUT"',
      "INPUT -m comment --comment ECS-LOCAL-INPUT",
    ]) {
      expect(found(rule), rule).toEqual([]);
    }
  });
});

describe("the command that takes one away", () => {
  function hintOf(rule: string, iptables = "iptables"): string {
    try {
      refuseStrangers(filter(rule), iptables);
      return "";
    } catch (error) {
      const { hint = "" } = error as { hint?: string };
      return /^take it away with (.*); then run this again$/s.exec(hint)?.[1] ?? "";
    }
  }

  test("is to a shell the rule's words and nothing else", () => {
    const comment = String.raw`"$(echo ran) \"q\" it\'s; echo ran #"`;
    const hint = hintOf(`ECS-LOCAL-INPUT -i $(x) -m comment --comment ${comment} -j DROP`);
    const shell = Bun.spawnSync(["sh", "-c", `iptables() { printf '%s\\n' "$@"; }; ${hint}`]);
    expect(shell.stdout.toString().trimEnd().split("\n")).toEqual([
      ...["-t", "filter", "-D", "ECS-LOCAL-INPUT", "-i", "$(x)"],
      ...["-m", "comment", "--comment", `$(echo ran) "q" it's; echo ran #`, "-j", "DROP"],
    ]);
  });

  test("runs the iptables that has the rule", () => {
    expect(hintOf("ECS-LOCAL-INPUT -j DROP", "iptables-legacy")).toBe(
      "iptables-legacy -t filter -D ECS-LOCAL-INPUT -j DROP",
    );
  });

  test("has nothing that a terminal obeys", () => {
    expect(hintOf('ECS-LOCAL-INPUT -m comment --comment "a\u001b[2J\nb" -j DROP')).toContain(" 'a?[2J?b' ");
  });
});
