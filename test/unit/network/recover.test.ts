import { describe, expect, test } from "bun:test";
import { bringUp, takeDown } from "../../../src/network/converge.ts";
import { readRules } from "../../../src/network/listed-rules.ts";
import { createOperations } from "../../../src/network/operations.ts";
import { CHAINS, type Plan, planFrame, stepsOf } from "../../../src/network/plan.ts";
import { recover, recoverAddress } from "../../../src/network/recover.ts";
import { readTables } from "../../../src/network/tables.ts";
import { fakeMachine } from "./fake-machine.ts";

const comment = "-m comment --comment ecs-local-endpoints";
const GUARD = `-N ECS-LOCAL-GUARD
-A ECS-LOCAL-GUARD ! -s 127.0.0.0/8 -d 127.0.0.0/8 ! -i lo ${comment} -j DROP
-A ECS-LOCAL-GUARD -s 127.0.0.0/8 -i br-a ${comment} -j DROP
-A ECS-LOCAL-GUARD -s 127.0.0.0/8 -i br-b ${comment} -j DROP`;
const letIn = (name: string, port: number) =>
  `-A ECS-LOCAL-INPUT -d 127.0.0.1/32 -i ${name} -p tcp -m tcp --dport ${port} ${comment} -j ACCEPT`;
const keepOut = (name: string) =>
  `-A ECS-LOCAL-INPUT -d 127.0.0.0/8 -i ${name} -m conntrack --ctstate NEW ${comment} -j DROP`;

/** What iptables lists of our chains. */
function rules(...listed: string[]) {
  const tables = new Map<string, (typeof CHAINS)[keyof typeof CHAINS]["table"]>(
    Object.values(CHAINS).map(({ chain, table }) => [chain, table]),
  );
  return readRules(listed.join("\n")).map((rule) => ({ ...rule, table: tables.get(rule.chain) ?? "nat" }));
}

/** A machine with br-a, number 3, and br-b, number 4. */
function machine(values: Record<string, string>) {
  return {
    run: async () => ({ exitCode: 1, output: "" }),
    routeLocalnet: (name: string) => values[name],
    setRouteLocalnet: () => {},
    ifindex: (name: string) => ({ "br-a": 3, "br-b": 4, lo: 1 })[name],
    nameOf: (ifindex: number) => ({ 3: "br-a", 4: "br-b", 1: "lo" })[ifindex],
  };
}

const open = machine({ "br-a": "1", "br-b": "1", lo: "1" });

test("killed anywhere with its state lost, what up opened is closed, and all of it taken away", async () => {
  const plan: Plan = { kind: "rules", port: 5000, bridges: [{ name: "br-a", ifindex: 3, was: "0" }] };
  let kills = 0;
  for (let nth = 1, isKilled = true; isKilled; nth += 1) {
    const fake = fakeMachine({ "br-a": { value: "0", ifindex: 3 } });
    const operations = createOperations(fake.machine);
    const clean = fake.picture();
    fake.kill(nth);
    isKilled = await fake.isKilled(bringUp(plan, fake.journal(), operations));
    fake.kill(0);
    fake.journal().write([]);
    const { plans, unsure } = recover(await readTables(fake.machine), fake.machine);
    // What says that a bridge was closed stands before it is opened.
    expect(unsure, `at ${nth}`).toEqual([]);
    await takeDown({ plans, write: () => {} }, planFrame(), operations);
    expect(fake.picture(), `at ${nth}`).toEqual(clean);
    if (isKilled) kills += 1;
  }
  expect(kills).toBeGreaterThan(10);
});

describe("without a state", () => {
  test("a bridge that is kept out of loopback was closed before us, and of others nothing is sure", () => {
    const input = [letIn("br-b", 5000), letIn("br-a", 5000), keepOut("br-a")].join("\n");
    expect(recover(rules(GUARD, input), open)).toEqual({
      plans: [
        {
          ...{ kind: "rules", port: 5000 },
          bridges: [
            { name: "br-a", ifindex: 3, was: "0" },
            { name: "br-b", ifindex: 4, was: "1" },
          ],
        },
      ],
      asked: { port: 5000, bridges: ["br-a", "br-b"], loopback: false },
      unsure: ["br-b"],
    });
  });

  test("a bridge that is closed is sure", () => {
    const { unsure } = recover(rules(GUARD), machine({ "br-a": "0", "br-b": "0" }));
    expect(unsure).toEqual([]);
  });

  test("every port of a call that was killed on its way to another one is known", () => {
    const input = [letIn("br-a", 2), letIn("br-a", 1), keepOut("br-a")].join("\n");
    const { plans } = recover(rules(GUARD, input), open);
    expect(plans).toMatchObject([{ port: 2 }, { port: 1 }]);
  });

  test("bridges are known though the guard was flushed by others", () => {
    const input = [letIn("br-a", 1), keepOut("br-a")].join("\n");
    const { plans } = recover(rules(input), open);
    expect(plans).toMatchObject([{ bridges: [{ name: "br-a", was: "0" }] }]);
  });

  test("bridges are known though all but the chain that leads to the server was flushed, and none is sure", () => {
    const led = `-A ECS-LOCAL-PREROUTING -d 169.254.170.2/32 -i br-a -p tcp -m tcp --dport 80 ${comment} -j DNAT --to-destination 127.0.0.1:5000`;
    const found = recover(rules(led), open);
    expect(found).toMatchObject({ plans: [{ port: 5000, bridges: [{ name: "br-a" }] }], unsure: ["br-a"] });
  });

  test("bridges of which a state tells are what it says, with each port that stands", () => {
    const input = [letIn("br-a", 2), letIn("br-a", 1), letIn("br-b", 1)].join("\n");
    const told = { name: "br-a", ifindex: 9, was: "1" };
    const bridges = [told, { name: "br-b", ifindex: 4, was: "1" }];
    const found = recover(rules(input), open, [told, { ...told, ifindex: 3 }]);
    expect(found).toMatchObject({
      plans: [
        { port: 2, bridges },
        { port: 1, bridges },
      ],
      unsure: ["br-b"],
    });
  });

  test("a port is known though no rule names a bridge, and one that no rule lets in", () => {
    const to = `-A ECS-LOCAL-OUTPUT -d 169.254.170.2/32 -p tcp -m tcp --dport 80 ${comment} -j REDIRECT --to-ports`;
    expect(recover(rules(`${to} 1`, `${to} 2`), open)).toEqual({
      plans: [
        { kind: "rules", port: 1, bridges: [] },
        { kind: "rules", port: 2, bridges: [] },
      ],
      ...{ asked: undefined, unsure: [] },
    });
  });

  test("a bridge that went away has rules and nothing to close", () => {
    const bridges = [{ name: "gone0", was: "0" }];
    const found = recover(rules(letIn("gone0", 1)), open);
    expect(found).toEqual({
      plans: [{ kind: "rules", port: 1, bridges }],
      ...{ asked: { port: 1, bridges: ["gone0"], loopback: false }, unsure: [] },
    });
    const steps = stepsOf(found.plans);
    expect(steps.filter(({ kind }) => kind === "sysctl")).toEqual([]);
    expect(steps.filter(({ what }) => what.includes("gone0"))).toHaveLength(4);
  });

  test("a rule of somebody else's in the chains says nothing", () => {
    const input = keepOut("br-a").replace(comment, "");
    const found = recover(rules(GUARD, input), open);
    expect(found.unsure).toEqual(["br-a", "br-b"]);
  });

  test("a rule of somebody else's says nothing though its comment reads like one of ours", () => {
    for (const rule of [
      `--comment "x -i br-a ${comment} -j DROP" -j RETURN`,
      `-i br-a --comment "x ${comment} " -j DROP`,
    ]) {
      const input = `-A ECS-LOCAL-INPUT -m comment ${rule}`;
      expect(recover(rules(input), open), rule).toMatchObject({ plans: [], unsure: [] });
    }
  });

  test("the address on lo is ours by its label alone", async () => {
    for (const [label, plans] of [
      ["lo:ecs-local", [{ kind: "address", was: false }]],
      ["lo", []],
    ] as const) {
      const line = `1: lo    inet 169.254.170.2/32 scope host ${label}\\       valid_lft forever preferred_lft forever`;
      const run = async () => ({ exitCode: 0, output: line });
      expect(await recoverAddress({ ...open, run })).toEqual([...plans]);
    }
  });

  test("lo and what stands for all interfaces are no bridges", () => {
    const input = [letIn("lo", 1), letIn("all", 1), letIn("default", 1)].join("\n");
    const guard = GUARD.split("\n").slice(0, 2).join("\n");
    const plans = [{ kind: "rules" as const, port: 1, bridges: [] }];
    expect(recover(rules(guard, input), open)).toEqual({ plans, asked: undefined, unsure: [] });
  });

  test("no rules say nothing", () => {
    expect(recover([], open)).toEqual({ plans: [], asked: undefined, unsure: [] });
  });
});
