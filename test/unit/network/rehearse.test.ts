import { expect, test } from "bun:test";
import { bringUp, takeDown } from "../../../src/network/converge.ts";
import { createOperations } from "../../../src/network/operations.ts";
import { type Plan, planFrame } from "../../../src/network/plan.ts";
import { printDown } from "../../../src/network/print.ts";
import { rehearse } from "../../../src/network/rehearse.ts";
import { fakeMachine } from "./fake-machine.ts";

test("a rule that stands twice is taken away twice by what is printed", async () => {
  const plan: Plan = { kind: "rules", port: 5000, bridges: [{ name: "br-a", ifindex: 3, was: "0" }] };
  const fake = fakeMachine({ "br-a": { value: "0", ifindex: 3 } });
  const operations = createOperations(fake.machine);
  await bringUp(plan, fake.journal(), operations);
  const { chains } = fake.others;
  for (const chain of ["nat PREROUTING", "filter ECS-LOCAL-INPUT"]) {
    const rules = chains.get(chain) ?? [];
    rules.push(rules[0] ?? "");
  }
  const standing = fake.picture();
  const { operations: rehearsed, taken } = rehearse(operations, fake.machine);
  await takeDown({ plans: [plan], write: () => {} }, planFrame(), rehearsed);
  expect(fake.picture()).toEqual(standing);
  fake.log.length = 0;
  await takeDown({ plans: [plan], write: () => {} }, planFrame(), operations);
  const done = fake.log.filter((line) => !line.startsWith("br-a"));
  const printed = printDown(taken).match(/(?<=^iptables -w 5 -t ).*$/gm) ?? [];
  expect(printed.map((line) => line.replaceAll("'", ""))).toEqual(done);
});
