import { describe, expect, test } from "bun:test";
import { bringUp, takeDown } from "../../../src/network/converge.ts";
import type { Machine } from "../../../src/network/machine.ts";
import { createOperations } from "../../../src/network/operations.ts";
import { type Plan, planFrame } from "../../../src/network/plan.ts";
import { recover, recoverAddress } from "../../../src/network/recover.ts";
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

/** A machine with br-a, number 3, and br-b, number 4. */
function machine(chains: Record<string, string | number>, values: Record<string, string>): Machine {
  return {
    async run(command) {
      const said = chains[command.at(-1) ?? ""] ?? 1;
      return typeof said === "number"
        ? { exitCode: said, output: said === 3 ? "can't initialize: Table does not exist" : "no" }
        : { exitCode: 0, output: said };
    },
    routeLocalnet: (name) => values[name],
    setRouteLocalnet: () => {},
    ifindex: (name) => ({ "br-a": 3, "br-b": 4, lo: 1 })[name],
    nameOf: (ifindex) => ({ 3: "br-a", 4: "br-b", 1: "lo" })[ifindex],
  };
}

const open = { "br-a": "1", "br-b": "1", lo: "1" };

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
    const { plans, unsure } = await recover(fake.machine);
    // What says that a bridge was closed stands before it is opened.
    expect(unsure, `at ${nth}`).toEqual([]);
    await takeDown({ plans, write: () => {} }, planFrame(), operations);
    expect(fake.picture(), `at ${nth}`).toEqual(clean);
    if (isKilled) kills += 1;
  }
  expect(kills).toBeGreaterThan(10);
});

describe("without a state", () => {
  test("a bridge that is kept out of loopback was closed before us, and of others nothing is sure", async () => {
    const input = [letIn("br-b", 5000), letIn("br-a", 5000), keepOut("br-a")].join("\n");
    expect(await recover(machine({ "ECS-LOCAL-GUARD": GUARD, "ECS-LOCAL-INPUT": input }, open))).toEqual({
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

  test("a bridge that is closed is sure", async () => {
    const { unsure } = await recover(machine({ "ECS-LOCAL-GUARD": GUARD }, { "br-a": "0", "br-b": "0" }));
    expect(unsure).toEqual([]);
  });

  test("every port of a call that was killed on its way to another one is known", async () => {
    const input = [letIn("br-a", 2), letIn("br-a", 1), keepOut("br-a")].join("\n");
    const { plans } = await recover(machine({ "ECS-LOCAL-GUARD": GUARD, "ECS-LOCAL-INPUT": input }, open));
    expect(plans).toMatchObject([{ port: 2 }, { port: 1 }]);
  });

  test("bridges are known though the guard was flushed by others", async () => {
    const input = [letIn("br-a", 1), keepOut("br-a")].join("\n");
    const { plans } = await recover(machine({ "ECS-LOCAL-INPUT": input }, open));
    expect(plans).toMatchObject([{ bridges: [{ name: "br-a", was: "0" }] }]);
  });

  test("bridges are known though all but the chain that leads to the server was flushed, and none is sure", async () => {
    const led = `-A ECS-LOCAL-PREROUTING -d 169.254.170.2/32 -i br-a -p tcp -m tcp --dport 80 ${comment} -j DNAT --to-destination 127.0.0.1:5000`;
    const found = await recover(machine({ "ECS-LOCAL-PREROUTING": led }, open));
    expect(found).toMatchObject({ plans: [{ port: 5000, bridges: [{ name: "br-a" }] }], unsure: ["br-a"] });
  });

  test("bridges of which a state tells are left to it", async () => {
    const input = [letIn("br-a", 1), letIn("br-b", 1)].join("\n");
    const found = await recover(machine({ "ECS-LOCAL-INPUT": input }, open), new Set(["br-a"]));
    expect(found).toMatchObject({ plans: [{ bridges: [{ name: "br-b" }] }], unsure: ["br-b"] });
  });

  test("a rule of somebody else's in the chains says nothing", async () => {
    const input = keepOut("br-a").replace(comment, "");
    const found = await recover(machine({ "ECS-LOCAL-GUARD": GUARD, "ECS-LOCAL-INPUT": input }, open));
    expect(found.unsure).toEqual(["br-a", "br-b"]);
  });

  test("a rule of somebody else's says nothing though its comment reads like one of ours", async () => {
    for (const rule of [
      `--comment "x -i br-a ${comment} -j DROP" -j RETURN`,
      `-i br-a --comment "x ${comment} " -j DROP`,
    ]) {
      const input = `-A ECS-LOCAL-INPUT -m comment ${rule}`;
      expect(await recover(machine({ "ECS-LOCAL-INPUT": input }, open)), rule).toMatchObject({ plans: [], unsure: [] });
    }
  });

  test("the address on lo is ours by its label alone", async () => {
    for (const [label, plans] of [
      ["lo:ecs-local", [{ kind: "address", was: false }]],
      ["lo", []],
    ] as const) {
      const line = `1: lo    inet 169.254.170.2/32 scope host ${label}\\       valid_lft forever preferred_lft forever`;
      expect(await recoverAddress(machine({ lo: line }, {}))).toEqual([...plans]);
    }
  });

  test("interfaces that went away, lo and what stands for all are none", async () => {
    const input = [letIn("gone0", 1), letIn("all", 1), letIn("default", 1)].join("\n");
    const guard = GUARD.split("\n").slice(0, 2).join("\n");
    const rules = { "ECS-LOCAL-GUARD": guard, "ECS-LOCAL-INPUT": input };
    expect(await recover(machine(rules, open))).toEqual({ plans: [], asked: undefined, unsure: [] });
  });

  for (const code of [1, 3]) {
    test(`chains that are not there, by the code ${code}, say nothing`, async () => {
      const none = { "ECS-LOCAL-GUARD": code, "ECS-LOCAL-INPUT": code };
      expect(await recover(machine(none, open))).toEqual({ plans: [], asked: undefined, unsure: [] });
    });
  }

  test("chains that cannot be read are an error", async () => {
    await expect(recover(machine({ "ECS-LOCAL-INPUT": 4 }, open))).rejects.toThrow(
      expect.objectContaining({ code: "network-failed", message: expect.stringContaining("failed with 4") }) as Error,
    );
    // As the legacy iptables refuses who has not the right to ask.
    const run = async () => ({ exitCode: 3, output: "can't initialize iptables table `raw': Permission denied" });
    await expect(recover({ ...machine({}, open), run })).rejects.toThrow(
      expect.objectContaining({ hint: expect.stringContaining("NET_ADMIN") }) as Error,
    );
  });
});
