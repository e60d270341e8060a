import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../../src/engine/container.ts";
import { createPicture } from "../../../../src/engine/container-store.ts";
import { AppError } from "../../../../src/errors.ts";
import { createBinding } from "../../../../src/routes/guard/caller-role.ts";
import { container } from "../../../support/containers.ts";
import { network, withNetwork } from "../../../support/networks.ts";

const bridge = network({ name: "n", subnet: "127.0.7.0/24", gateway: "127.0.7.1" });
const NEVER = "0001-01-01T00:00:00Z";
const BOUND = { "ecs-local.role": "web" };
const STRANGER = "203.0.113.9";
const refused = expect.objectContaining({ code: "role-not-allowed" }) as Error;
const unavailable = new AppError("engine-unavailable", "the engine is silent");

type Options = Partial<Parameters<typeof container>[0]>;

function start(labels: Record<string, string>, options: Options = {}) {
  const picture = createPicture();
  const web = toContainer(withNetwork(container({ name: "web", labels, ...options }), bridge, { ipv4: "127.0.7.2" }));
  picture.put(web);
  const waiting = Promise.withResolvers<undefined>();
  const world = { isCurrent: true, isSilent: false, hasLateEvents: false, confirmed: () => {} };
  const binding = createBinding({
    inventory: {
      picture,
      engine: () => ({ hasLateEvents: world.hasLateEvents }) as never,
      isCurrent: () => world.isCurrent,
      ready: async () => 0,
      async confirm() {
        if (world.isSilent) throw unavailable;
        world.confirmed();
      },
      atAddress: (address) => picture.claimants(address)[0],
      async waitForAddress() {
        if (world.isSilent) throw unavailable;
        return waiting.promise;
      },
    },
    isHost: (address) => address.startsWith("127."),
  });
  return { picture, web, binding, waiting, world };
}

test("a container that has the host's address is a container", async () => {
  const { binding } = start(BOUND);
  expect(await binding("127.0.7.2")).toMatchObject({ id: "web" });
  expect(binding("127.0.0.1")).toBeUndefined();
});

test("a caller who was waited for is bound to nothing once the label has gone meanwhile", async () => {
  const { binding, picture, web, waiting } = start(BOUND);
  const asked = binding(STRANGER);
  expect(asked).toBeInstanceOf(Promise);
  picture.remove(web.id);
  waiting.resolve(undefined);
  expect(await asked).toBeUndefined();
});

test("where nobody has the label it is answered at once", () => {
  expect(start({}).binding(STRANGER)).toBeUndefined();
});

describe("a caller who cannot be told is refused while a container with the label", () => {
  for (const [title, options] of [
    ["runs", {}],
    ["was made and not started yet: it asks before its start is known", { running: false, startedAt: NEVER }],
    ["has ended and is started again by the engine", { running: false, restartPolicy: "always" }],
  ] as const) {
    test(title, async () => {
      const { binding, waiting } = start(BOUND, options);
      waiting.resolve(undefined);
      await expect(binding(STRANGER) as Promise<unknown>).rejects.toThrow(refused);
    });
  }

  test("has only ended, and then is not", () => {
    expect(start(BOUND, { running: false }).binding(STRANGER)).toBeUndefined();
  });
});

describe("news that are still to come are waited for", () => {
  for (const [title, news] of [
    ["where a container is just being inspected", { isCurrent: false }],
    ["where the engine tells late", { hasLateEvents: true }],
  ] as const) {
    test(title, async () => {
      const { binding, picture, waiting, world } = start({});
      Object.assign(world, news);
      waiting.resolve(undefined);
      world.confirmed = () => picture.put(toContainer(container({ name: "new", labels: BOUND })));
      await expect(binding(STRANGER) as Promise<unknown>).rejects.toThrow(refused);
    });
  }
});

describe("while the engine is silent", () => {
  test("nobody is vended to who cannot be told, once the label was seen", async () => {
    const { binding, picture, web, world } = start(BOUND);
    binding("127.0.0.1");
    picture.remove(web.id);
    Object.assign(world, { isCurrent: false, isSilent: true });
    await expect(binding(STRANGER) as Promise<unknown>).rejects.toThrow(unavailable);
  });

  test("everybody is vended to where it never was", async () => {
    const { binding, world } = start({});
    Object.assign(world, { isCurrent: false, isSilent: true });
    expect(await binding(STRANGER)).toBeUndefined();
  });
});
