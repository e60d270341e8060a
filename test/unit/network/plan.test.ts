import { describe, expect, test } from "bun:test";
import { planFrame, planRules, stepsOf } from "../../../src/network/plan.ts";
import { keyOf, type Step } from "../../../src/network/step.ts";

const bridge = (name: string, was = "0") => ({ name, ifindex: ["docker0", "a"].includes(name) ? 3 : 4, was });
const rulesOf = (steps: readonly Step[], chain: string) =>
  steps.flatMap((step) => (step.kind === "rule" && step.chain === chain ? [step.rule.join(" ")] : []));
const comment = "-m comment --comment ecs-local-endpoints";

describe("the rules", () => {
  const steps = planRules(5000, [bridge("docker0"), bridge("br-a", "1")]);

  test("send 169.254.170.2:80 to the port: a container's by its bridge, the machine's own without", () => {
    const to = "-d 169.254.170.2/32 -p tcp -m tcp --dport 80";
    expect(rulesOf(steps, "ECS-LOCAL-PREROUTING")).toEqual([
      `-i docker0 ${to} ${comment} -j DNAT --to-destination 127.0.0.1:5000`,
      `-i br-a ${to} ${comment} -j DNAT --to-destination 127.0.0.1:5000`,
    ]);
    expect(rulesOf(steps, "ECS-LOCAL-OUTPUT")).toEqual([`${to} ${comment} -j REDIRECT --to-ports 5000`]);
  });

  test("drop what comes for 127.0.0.0/8 from outside, in its name as well, and all of that from a bridge", () => {
    expect(rulesOf(steps, "ECS-LOCAL-GUARD")).toEqual([
      `! -i lo ! -s 127.0.0.0/8 -d 127.0.0.0/8 ${comment} -j DROP`,
      `! -i lo -s 127.0.0.0/8 -d 127.0.0.0/8 -m addrtype ! --src-type LOCAL --limit-iface-in ${comment} -j DROP`,
      `-i docker0 -s 127.0.0.0/8 ${comment} -j DROP`,
      `-i br-a -s 127.0.0.0/8 ${comment} -j DROP`,
    ]);
  });

  test("let a bridge in to the port, and to nothing else where it was closed before", () => {
    expect(rulesOf(steps, "ECS-LOCAL-INPUT")).toEqual([
      `-i docker0 -d 127.0.0.1/32 -p tcp -m tcp --dport 5000 ${comment} -j ACCEPT`,
      `-i docker0 -d 127.0.0.0/8 -m conntrack --ctstate NEW ${comment} -j DROP`,
      `-i br-a -d 127.0.0.1/32 -p tcp -m tcp --dport 5000 ${comment} -j ACCEPT`,
    ]);
  });

  test("open each bridge alone, after what keeps out of loopback and before anything leads there", () => {
    const order = steps.map((step) => (step.kind === "rule" ? `${step.chain} ${step.rule.at(-1)}` : keyOf(step)));
    expect(order.filter((key) => key.startsWith("sysctl"))).toEqual(["sysctl 3", "sysctl 4"]);
    const guarded = order.indexOf("PREROUTING ECS-LOCAL-GUARD");
    const closed = order.indexOf("INPUT ECS-LOCAL-INPUT");
    const opened = order.indexOf("sysctl 3");
    expect(guarded).toBeGreaterThan(0);
    expect(guarded).toBeLessThan(closed);
    expect(closed).toBeLessThan(opened);
    expect(opened).toBeLessThan(order.indexOf("PREROUTING ECS-LOCAL-PREROUTING"));
  });

  test("are each a thing of its own", () => {
    expect(new Set(steps.map(keyOf)).size).toBe(steps.length);
    expect(new Set(steps.map(({ what }) => what)).size).toBe(steps.length);
  });
});

test("a chain is made before its rules, and filled before anything leads into it", () => {
  for (const chain of ["ECS-LOCAL-GUARD", "ECS-LOCAL-INPUT", "ECS-LOCAL-OUTPUT", "ECS-LOCAL-PREROUTING"]) {
    const about = planRules(5000, [bridge("a")]).flatMap((step) => {
      if (step.kind === "chain" && step.chain === chain) return ["made"];
      if (step.kind !== "rule") return [];
      return step.chain === chain ? ["filled"] : step.leadsTo === chain ? ["led to"] : [];
    });
    expect(about).toEqual(["made", ...about.slice(1, -1).map(() => "filled"), "led to"]);
  }
});

test("the steps of several plans are each once, in the order of the first and as the last has it", () => {
  const [first, then] = [bridge("a"), bridge("b")];
  const steps = stepsOf([
    { kind: "rules", port: 1, bridges: [first] },
    { kind: "rules", port: 1, bridges: [{ ...first, was: "2" }, then] },
    { kind: "address", was: true },
  ]);
  const keys = steps.map(keyOf);
  expect(new Set(keys).size).toBe(keys.length);
  expect(new Set(keys)).toEqual(new Set([...planRules(1, [first, then]).map(keyOf), "address"]));
  const [a, b] = steps.filter(({ kind }) => kind === "sysctl");
  expect([a, b]).toMatchObject([
    { bridge: "a", was: "2" },
    { bridge: "b", was: "0" },
  ]);
  expect(keys).toContain("sysctl 3");
  expect(keys.indexOf("sysctl 3")).toBeLessThan(keys.findIndex((key) => key.includes("DNAT")));
});

test("the frame is what all plans have in common", () => {
  const frame = planFrame().map(keyOf);
  expect(frame).toHaveLength(8);
  for (const steps of [planRules(1, []), planRules(2, [bridge("a"), bridge("b", "1")])]) {
    expect(steps.map(keyOf)).toEqual(expect.arrayContaining(frame));
  }
});
