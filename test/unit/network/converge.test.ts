import { describe, expect, test } from "bun:test";
import { bringUp, takeDown } from "../../../src/network/converge.ts";
import { createOperations } from "../../../src/network/operations.ts";
import { type Plan, planFrame, stepsOf } from "../../../src/network/plan.ts";
import { fakeMachine } from "./fake-machine.ts";

const A = { name: "br-a", ifindex: 3, was: "0" };
const B = { name: "br-b", ifindex: 4, was: "1" };

function setup() {
  const fake = fakeMachine({ "br-a": { value: "0", ifindex: 3 }, "br-b": { value: "1", ifindex: 4 } });
  const operations = createOperations(fake.machine);
  return {
    fake,
    up: (plan: Plan) => bringUp(plan, fake.journal(), operations),
    down: () => takeDown(fake.journal(), planFrame(), operations),
  };
}

const rules = (port: number, bridges: (typeof A)[]): Plan => ({ kind: "rules", port, bridges });
const address = (was: boolean): Plan => ({ kind: "address", was });
const both = rules(51679, [A, B]);

/** What a machine goes from, to, and how far the first came. */
const MOVES: readonly (readonly [title: string, first: Plan | undefined, second: Plan])[] = [
  ["from nothing", undefined, both],
  ["to another port", both, rules(9000, [A, B])],
  ["to fewer bridges", both, rules(51679, [B])],
  ["to other bridges", rules(51679, [B]), rules(51679, [A])],
  ["to the address on lo", both, address(false)],
  ["from the address on lo", address(false), both],
];

describe("killed between any two changes of an up", () => {
  for (const [title, first, second] of MOVES) {
    for (const next of ["up", "down", "the earlier up"] as const) {
      test(`${title}, the next ${next} ends right`, async () => {
        const wanted = { up: second, down: undefined, "the earlier up": first }[next];
        let kills = 0;
        for (let nth = 1; ; nth += 1) {
          const { fake, up, down } = setup();
          const clean = fake.picture();
          if (first) await up(first);
          fake.kill(nth);
          const isKilled = await fake.isKilled(up(second));
          fake.kill(0);
          await (wanted ? up(wanted) : down());
          const ideal = setup();
          if (wanted) await ideal.up(wanted);
          expect(sorted(fake.picture()), `at ${nth}`).toEqual(sorted(ideal.fake.picture()));
          await down();
          expect(fake.picture(), `at ${nth}, taken down`).toEqual(clean);
          if (!isKilled) break;
          kills += 1;
        }
        expect(kills).toBeGreaterThan(1);
      });
    }
  }
});

describe("killed between any two changes of a down", () => {
  for (const next of ["up", "down"] as const) {
    test(`the next ${next} ends right`, async () => {
      for (let nth = 1; ; nth += 1) {
        const { fake, up, down } = setup();
        const clean = fake.picture();
        await up(both);
        const standing = fake.picture();
        fake.kill(nth);
        const isKilled = await fake.isKilled(down());
        fake.kill(0);
        await (next === "up" ? up(both) : down());
        expect(sorted(fake.picture())).toEqual(sorted(next === "up" ? standing : clean));
        if (!isKilled) break;
      }
    });
  }
});

describe("a change that fails", () => {
  test("leaves what was there before, at each step", async () => {
    const { fake: counted, up: upAll } = setup();
    counted.kill(0);
    await upAll(both);
    // The first change is the journal and so is the last.
    for (let nth = 2; nth < counted.changes(); nth += 1) {
      const { fake, up } = setup();
      const clean = fake.picture();
      fake.fail(nth);
      await expect(up(both), `at ${nth}`).rejects.toThrow(
        expect.objectContaining({ code: "network-failed", hint: expect.any(String) }) as Error,
      );
      expect(fake.picture(), `at ${nth}`).toEqual(clean);
    }
  });

  for (const [title, first, second] of MOVES) {
    if (first === undefined) continue;
    test(`of a second up leaves the first, ${title}`, async () => {
      let failures = 0;
      for (let nth = 2; ; nth += 1) {
        const { fake, up, down } = setup();
        const clean = fake.picture();
        await up(first);
        const standing = fake.picture();
        fake.fail(nth);
        const error = await up(second).then(
          () => undefined,
          (cause: unknown) => cause,
        );
        if (error === undefined) break;
        failures += 1;
        expect(sorted(fake.picture()), `at ${nth}`).toEqual(sorted(standing));
        fake.kill(0);
        await down();
        expect(fake.picture(), `at ${nth}, taken down`).toEqual(clean);
      }
      expect(failures).toBeGreaterThan(1);
    });
  }

  test("of a down stops it there, with what keeps strangers out still standing, and the next ends it", async () => {
    const { fake, up, down } = setup();
    const clean = fake.picture();
    await up(both);
    fake.fail(fake.log.length);
    for (let nth = 1; nth < 100; nth += 1) {
      fake.fail(nth);
      if ((await down().catch(() => -1)) !== -1) break;
      const { chains, bridges } = fake.picture();
      if (bridges["br-a"]?.value === "1") expect(chains["raw ECS-LOCAL-GUARD"]).toHaveLength(4);
    }
    expect(fake.picture()).toEqual(clean);
  });
});

describe("what is not ours stays:", () => {
  test("a sysctl that somebody set back, and a bridge that was made anew with the same name", async () => {
    const { fake, up, down } = setup();
    await up(both);
    const bridge = fake.picture().bridges["br-a"];
    expect(bridge).toEqual({ value: "1", ifindex: 3 });
    const anew = fakeMachine({ "br-a": { value: "1", ifindex: 9 } });
    await takeDown({ plans: fake.journal().plans, write: () => {} }, [], createOperations(anew.machine));
    expect(anew.picture().bridges["br-a"]).toEqual({ value: "1", ifindex: 9 });
    await down();
    expect(fake.picture().bridges).toEqual({ "br-a": { value: "0", ifindex: 3 }, "br-b": { value: "1", ifindex: 4 } });
  });

  test("an address of lo that was there before", async () => {
    const { fake, up, down } = setup();
    fake.others.setAddress(true);
    await up(address(true));
    await down();
    expect(fake.picture().label).toBe("lo");
  });

  test("an address of lo that somebody put there anew, but not one that we did", async () => {
    const { fake, up, down } = setup();
    await up(address(false));
    fake.others.setAddress(true);
    await down();
    expect(fake.picture().label).toBe("lo");
    await up(address(true));
    fake.others.setAddress(false);
    await up(address(false));
    expect(fake.picture().label).toBe("lo:ecs-local");
    await down();
    expect(fake.picture().label).toBeUndefined();
  });
});

test("a bridge that became another one between plan and step is not opened, and what was made is taken back", async () => {
  const { fake, up } = setup();
  const clean = fake.picture();
  for (const ifindex of [0, 9]) {
    await expect(up(rules(51679, [{ ...A, ifindex }]))).rejects.toThrow(
      expect.objectContaining({
        code: "network-failed",
        message: expect.stringContaining("br-a is not there"),
      }) as Error,
    );
    expect(fake.picture()).toEqual(clean);
  }
});

describe("a bridge that was given another name", () => {
  const { name: _, ...rest } = A;
  const renamed = { ...rest, name: "br-z" };

  test("is closed by down as it is called now", async () => {
    const { fake, up, down } = setup();
    await up(both);
    fake.others.rename("br-a", "br-z");
    await down();
    const { chains, bridges } = fake.picture();
    expect(bridges["br-z"]).toEqual({ value: "0", ifindex: 3 });
    expect(Object.keys(chains)).toHaveLength(4);
  });

  test("stays open for an up that names it so, and is closed by the next down", async () => {
    const { fake, up, down } = setup();
    await up(rules(51679, [A]));
    fake.others.rename("br-a", "br-z");
    await up(rules(51679, [renamed]));
    expect(fake.picture().bridges["br-z"]?.value).toBe("1");
    expect(fake.picture().chains["filter ECS-LOCAL-INPUT"]?.filter((rule) => rule.includes("br-a"))).toEqual([]);
    await down();
    expect(fake.picture().bridges["br-z"]?.value).toBe("0");
  });
});

test("an up that finds all standing changes nothing", async () => {
  const { fake, up } = setup();
  expect(await up(both)).toBe(stepsOf([both]).length - 1);
  fake.kill(0);
  expect(await up(both)).toBe(0);
  expect(fake.changes()).toBe(0);
});

test("a command that failed because a killed call's own was first counts as done", async () => {
  const { fake } = setup();
  const { machine } = fake;
  const late = createOperations({
    ...machine,
    async run(command) {
      const answer = await machine.run(command);
      return ["-N", "-A", "-I"].includes(command[5] ?? "") ? { exitCode: 1, output: "it is there already" } : answer;
    },
  });
  await bringUp(both, fake.journal(), late);
  const ideal = setup();
  await ideal.up(both);
  expect(sorted(fake.picture())).toEqual(sorted(ideal.fake.picture()));
});

test("where the kernel has no such table, up says so with nothing left, and down that nothing stands", async () => {
  const { fake } = setup();
  const clean = fake.picture();
  const without = createOperations({
    ...fake.machine,
    async run(command) {
      const output = "can't initialize iptables table `raw': Table does not exist (do you need to insmod?)";
      return command.includes("raw") ? { exitCode: 3, output } : fake.machine.run(command);
    },
  });
  await expect(bringUp(both, fake.journal(), without)).rejects.toThrow(
    expect.objectContaining({ hint: expect.stringContaining("--loopback") }) as Error,
  );
  expect(fake.picture()).toEqual(clean);
  expect(await takeDown(fake.journal(), planFrame(), without)).toBe(0);
});

test("a rule that is there twice is taken away twice", async () => {
  const { fake, up, down } = setup();
  const clean = fake.picture();
  await up(both);
  const jumps = fake.others.chains.get("nat PREROUTING") ?? [];
  jumps.unshift(jumps[0] ?? "");
  await down();
  expect(fake.picture()).toEqual(clean);
});

test("nothing may lead to loopback before strangers are kept out of it, and nothing after", async () => {
  const { fake, up, down } = setup();
  await up(both);
  const at = (text: string) => fake.log.findIndex((line) => line.startsWith(text));
  expect(at("raw -I PREROUTING")).toBeLessThan(at("br-a 1"));
  expect(at("filter -I INPUT")).toBeLessThan(at("br-a 1"));
  expect(at("br-a 1")).toBeLessThan(at("nat -I PREROUTING"));
  fake.log.length = 0;
  await down();
  expect(at("nat -D PREROUTING")).toBeLessThan(at("br-a 0"));
  expect(at("br-a 0")).toBeLessThan(at("filter -D INPUT"));
  expect(at("br-a 0")).toBeLessThan(at("raw -D PREROUTING"));
});

/** The order of rules in our own chains is of no account. */
function sorted(picture: ReturnType<ReturnType<typeof fakeMachine>["picture"]>) {
  const chains = Object.entries(picture.chains).map(([key, rules]) => [key, rules.toSorted()] as const);
  return { ...picture, chains: Object.fromEntries(chains) };
}
