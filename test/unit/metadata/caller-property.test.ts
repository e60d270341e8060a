import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Container, toContainer } from "../../../src/engine/container.ts";
import { AppError } from "../../../src/errors.ts";
import { type Caller, findContainer } from "../../../src/metadata/find-container.ts";
import { container, withComposeProject } from "../../support/containers.ts";

const HOST: Caller = { kind: "host", address: "127.0.0.1" };

/** The id that was found, or the error's code and text. */
function outcome(all: readonly Container[], identifier: string, caller: Caller): string {
  try {
    return findContainer(all, identifier, caller).id;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return `${error.code}: ${error.sentence}`;
  }
}

const containers = fc.uniqueArray(
  fc
    .tuple(
      fc.constantFrom("db", "cafe", "a1", "f0"),
      fc.constantFrom("shop", "blog", "cafe"),
      fc.constantFrom("web", "db", "feed"),
      fc.nat({ max: 2 }),
      fc.boolean(),
    )
    .map(([prefix, project, service, replica, running]) => {
      const name = `${project}-${service}-${replica}`;
      const id = `${prefix}${Buffer.from(name).toString("hex")}`;
      return toContainer(withComposeProject(container({ name, id, running }), project, service));
    }),
  { selector: ({ name }) => name, maxLength: 8 },
);
const identifiers = fc.constantFrom("db", "cafe", "web", "feed", "shop", "shop-web-0", "a1", "blog-db-2", "-1", "none");

test("what an identifier means does not depend on the order of the containers", () => {
  const input = containers.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  );
  fc.assert(
    fc.property(input, identifiers, fc.nat(), ([all, shuffled], identifier, pick) => {
      const asker = all[pick % (all.length + 1)];
      const caller: Caller = asker ? { kind: "container", container: asker } : HOST;
      expect(outcome(shuffled, identifier, caller)).toBe(outcome(all, identifier, caller));
    }),
  );
});

test("what an identifier means has it in its id, its name or its service", () => {
  fc.assert(
    fc.property(containers, identifiers, (all, identifier) => {
      const found = all.find(({ id }) => id === outcome(all, identifier, HOST));
      if (found) expect(found.id.startsWith(identifier) || found.name.includes(identifier)).toBe(true);
    }),
  );
});
