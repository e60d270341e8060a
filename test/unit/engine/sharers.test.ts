import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Container, toContainer } from "../../../src/engine/container.ts";
import { createSharers } from "../../../src/engine/sharers.ts";
import { container, hexId } from "../../support/containers.ts";

/** A container on a network that is called as it is, which shares with `networkOwner` where there is one. */
function facts(name: string, networkOwner?: string, id = name): Container {
  const attachments = [
    { name, networkId: name, ipv4: undefined, ipv6: undefined, gateways: [], macAddress: undefined },
  ];
  return { ...toContainer(container({ name, id })), networkOwner, attachments };
}

function setup() {
  const containers = new Map<string, Container>();
  return {
    containers,
    sharers: createSharers(containers),
    networkOf: (id: string) => containers.get(id)?.attachments[0]?.name,
  };
}

describe("a container that shares", () => {
  const chain = [facts("a", "b"), facts("b", "c"), facts("c")] as const;
  for (const order of [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as const) {
    test(`has the networks of the last in a row, in whichever order they come (${order})`, () => {
      const { sharers, networkOf } = setup();
      for (const index of order) sharers.put(chain[index]);
      expect([networkOf("a"), networkOf("b"), networkOf("c")]).toEqual(["c", "c", "c"]);
    });
  }

  test("has its own again once those that it shared with are gone", () => {
    const { sharers, networkOf } = setup();
    for (const each of chain) sharers.put(each);
    sharers.remove("c");
    expect([networkOf("a"), networkOf("b")]).toEqual(["b", "b"]);
    sharers.remove("b");
    expect(networkOf("a")).toBe("a");
  });

  test("follows the last in a row by name when one of them is called otherwise", () => {
    const { sharers, networkOf } = setup();
    sharers.put(facts("last", undefined, "3"));
    sharers.put(facts("b", "last", "2"));
    sharers.put(facts("c", "b", "1"));
    sharers.put(facts("a", "c", "0"));
    sharers.put(facts("b", "new", "2"));
    sharers.put(facts("new", undefined, "4"));
    expect(["0", "1", "2"].map(networkOf)).toEqual(["new", "new", "new"]);
    sharers.put(facts("gone", undefined, "4"));
    expect(["0", "1", "2"].map(networkOf)).toEqual(["b", "b", "b"]);
  });

  test("finds its owner by a name, for as long as that is its name", () => {
    const { sharers, networkOf } = setup();
    sharers.put(facts("a", "web"));
    sharers.put(facts("web", undefined, "1"));
    expect(networkOf("a")).toBe("web");
    sharers.put(facts("other", undefined, "1"));
    expect(networkOf("a")).toBe("a");
    sharers.put(facts("web", undefined, "1"));
    sharers.remove("1");
    expect(networkOf("a")).toBe("a");
  });

  test("is the same object until its owner's networks are others", () => {
    const { containers, sharers, networkOf } = setup();
    const owner = facts("b");
    sharers.put(facts("a", "b"));
    sharers.put(owner);
    const before = containers.get("a");
    sharers.put({ ...owner, exitCode: 1 });
    expect(containers.get("a")).toBe(before);
    sharers.put({ ...owner, attachments: facts("c").attachments });
    expect(networkOf("a")).toBe("c");
  });

  test("that shares no more has its own", () => {
    const { sharers, networkOf } = setup();
    sharers.put(facts("b"));
    sharers.put(facts("a", "b"));
    sharers.put(facts("a"));
    sharers.put(facts("b"));
    expect(networkOf("a")).toBe("a");
  });

  test("in a circle, or with itself, comes to an end", () => {
    const { sharers, networkOf } = setup();
    sharers.put(facts("a", "b"));
    sharers.put(facts("b", "a"));
    sharers.put(facts("c", "c"));
    expect([networkOf("a"), networkOf("b"), networkOf("c")]).toEqual(["a", "b", "c"]);
  });
});

test("who shares with whom does not depend on the order of what happens", () => {
  const name = fc.constantFrom("a", "b", "c", "d");
  // No engine lets two share in a circle: who is shared with was there first.
  const put = fc
    .tuple(name, fc.option(name, { nil: undefined }))
    .filter(([id, owner]) => owner === undefined || owner > id);
  fc.assert(
    fc.property(fc.array(fc.oneof(put, name), { maxLength: 30 }), (changes) => {
      const { containers, sharers, networkOf } = setup();
      const owners = new Map<string, string | undefined>();
      for (const change of changes) {
        if (typeof change === "string") {
          sharers.remove(change);
          owners.delete(change);
        } else {
          sharers.put(facts(...change));
          owners.set(...change);
        }
      }
      const last = (id: string): string => {
        const owner = owners.get(id);
        return owner !== undefined && owners.has(owner) ? last(owner) : id;
      };
      expect([...containers.keys()].sort()).toEqual([...owners.keys()].sort());
      for (const id of owners.keys()) expect(networkOf(id)).toBe(last(id));
    }),
  );
});

test("hundreds whose owners are gone cost thousands of others nothing", () => {
  const { sharers } = setup();
  const begin = performance.now();
  for (let serial = 0; serial < 300; serial += 1) sharers.put(facts(`s${serial}`, hexId(`gone ${serial}`)));
  for (let serial = 0; serial < 3_000; serial += 1) sharers.put(facts(`c${serial}`));
  expect(performance.now() - begin).toBeLessThan(1_000);
});
