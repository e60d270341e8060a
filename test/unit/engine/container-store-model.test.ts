import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Container, toContainer } from "../../../src/engine/container.ts";
import { createContainerStore, type MutableStore } from "../../../src/engine/container-store.ts";
import { container } from "../../support/containers.ts";

/** What a store must be equal to, the slow way: every container, and which of them were withdrawn. */
interface Model {
  readonly containers: Map<string, Container>;
  readonly withdrawn: Set<string>;
}

type Command = fc.Command<Model, MutableStore>;

const ADDRESSES = ["10.0.0.2", "10.0.0.3", "10.0.0.4", "fd00::2", "fd00::3"];
const ids = fc.constantFrom("a", "b", "c");

function command(text: string, apply: (model: Model) => void, run: (store: MutableStore) => void): Command {
  return {
    check: () => true,
    toString: () => text,
    run(model, store) {
      const before = store.revision();
      apply(model);
      run(store);
      expect(store.revision()).toBeGreaterThan(before);
      expect(new Map(store.containers)).toEqual(withShared(model.containers));
      for (const address of ADDRESSES) {
        const expected = [...model.containers.values()].filter(
          ({ id, running, networkOwner, endpoints }) =>
            running &&
            networkOwner === undefined &&
            !model.withdrawn.has(id) &&
            endpoints.some(({ ipv4, ipv6 }) => ipv4 === address || ipv6 === address),
        );
        const byId = (a: Container, b: Container) => (a.id < b.id ? -1 : 1);
        expect([...store.ownersOf(address)].sort(byId)).toEqual(expected.sort(byId));
      }
    },
  };
}

/** What shares a network namespace has the networks of its owner, where that is known. */
function withShared(containers: Model["containers"]): Model["containers"] {
  const attachmentsOf = (each: Container) => (containers.get(each.networkOwner ?? each.id) ?? each).endpoints;
  return new Map([...containers].map(([id, each]) => [id, { ...each, endpoints: attachmentsOf(each) }]));
}

const endpoint = fc.record({
  name: fc.constant("n"),
  networkId: fc.constant("n"),
  ipv4: fc.constantFrom(undefined, "10.0.0.2", "10.0.0.3", "10.0.0.4"),
  ipv6: fc.constantFrom(undefined, "fd00::2", "fd00::3"),
  gateways: fc.constant([]),
  macAddress: fc.constant(undefined),
});
const put = fc
  .tuple(ids, fc.boolean(), fc.constantFrom(undefined, undefined, "b"), fc.array(endpoint, { maxLength: 3 }))
  .map(([id, running, networkOwner, endpoints]) => {
    const facts = { ...toContainer(container({ name: id, id, running })), networkOwner, endpoints };
    const at = endpoints.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).join(" ");
    return command(
      `put ${id} ${running} ${networkOwner} ${at}`,
      ({ containers, withdrawn }) => {
        containers.set(id, facts);
        withdrawn.delete(id);
      },
      (store) => store.put(facts),
    );
  });
const remove = ids.map((id) =>
  command(
    `remove ${id}`,
    ({ containers }) => containers.delete(id),
    (store) => store.remove(id),
  ),
);
const withdraw = ids.map((id) =>
  command(
    `withdraw ${id}`,
    ({ withdrawn }) => withdrawn.add(id),
    (store) => store.withdraw(id),
  ),
);

test("a store is what a list of its containers is, after any changes in any order", () => {
  fc.assert(
    fc.property(fc.commands([put, remove, withdraw], { maxCommands: 30 }), (commands) => {
      fc.modelRun(
        () => ({ model: { containers: new Map(), withdrawn: new Set<string>() }, real: createContainerStore() }),
        commands,
      );
    }),
  );
});
