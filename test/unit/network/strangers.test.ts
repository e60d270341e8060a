import { describe, expect, test } from "bun:test";
import type { Machine } from "../../../src/network/machine.ts";
import { findStrangers, refuseStrangers } from "../../../src/network/strangers.ts";

/** A machine whose table filter has rules, as `iptables -S` lists them. */
function machine(...rules: string[]): Machine {
  return {
    run: async (command) =>
      command.includes("filter")
        ? { exitCode: 0, output: ["-P INPUT ACCEPT", ...rules.map((rule) => `-A ${rule}`)].join("\n") }
        : { exitCode: 3, output: "Table does not exist" },
    routeLocalnet: () => undefined,
    setRouteLocalnet: () => {},
    ifindex: () => undefined,
    nameOf: () => undefined,
  };
}

const found = async (...rules: string[]) => (await findStrangers(machine(...rules))).map(({ rule }) => rule);

describe("a rule is somebody else's", () => {
  test("in a chain of ours, or where it leads to one, unless its comment is ours", async () => {
    const ours = "-m comment --comment ecs-local-endpoints";
    expect(await found(`INPUT ${ours} -j ECS-LOCAL-INPUT`, `ECS-LOCAL-INPUT ${ours} -j DROP`)).toEqual([]);
    const others = ["INPUT -j ECS-LOCAL-INPUT", "FORWARD -g ECS-LOCAL-INPUT", "ECS-LOCAL-INPUT -j DROP"];
    expect(await found(...others)).toEqual(others);
  });

  test("though its comment has ours in it", async () => {
    for (const comment of ['"a --comment ecs-local-endpoints b"', '"ecs-local-endpoints "', "ecs-local-endpoints2"]) {
      expect(await found(`ECS-LOCAL-INPUT -m comment --comment ${comment} -j DROP`), comment).toHaveLength(1);
    }
  });

  test("but none of our business where only its text names a chain of ours", async () => {
    for (const rule of [
      'INPUT -m comment --comment "before -j ECS-LOCAL-INPUT here" -j DROP',
      'INPUT -j LOG --log-prefix "-g ECS-LOCAL-INPUT"',
      "INPUT -m comment --comment ECS-LOCAL-INPUT",
    ]) {
      expect(await found(rule), rule).toEqual([]);
    }
  });
});

describe("the command that takes one away", () => {
  const hintOf = (rule: string, iptables = "iptables") =>
    refuseStrangers(machine(rule), iptables).then(
      () => "",
      (error: { hint?: string }) => /^take it away with (.*); then run this again$/s.exec(error.hint ?? "")?.[1] ?? "",
    );

  test("is to a shell the rule's words and nothing else", async () => {
    const comment = String.raw`"$(echo ran) \"q\" it\'s; echo ran #"`;
    const hint = await hintOf(`ECS-LOCAL-INPUT -i $(x) -m comment --comment ${comment} -j DROP`);
    const shell = Bun.spawnSync(["sh", "-c", `iptables() { printf '%s\\n' "$@"; }; ${hint}`]);
    expect(shell.stdout.toString().trimEnd().split("\n")).toEqual([
      ...["-t", "filter", "-D", "ECS-LOCAL-INPUT", "-i", "$(x)"],
      ...["-m", "comment", "--comment", `$(echo ran) "q" it's; echo ran #`, "-j", "DROP"],
    ]);
  });

  test("runs the iptables that has the rule", async () => {
    expect(await hintOf("ECS-LOCAL-INPUT -j DROP", "iptables-legacy")).toBe(
      "iptables-legacy -t filter -D ECS-LOCAL-INPUT -j DROP",
    );
  });

  test("has nothing that a terminal obeys", async () => {
    expect(await hintOf('ECS-LOCAL-INPUT -m comment --comment "a\u001b[2J\nb" -j DROP')).toContain(" 'a?[2J?b' ");
  });
});
