import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import { createPicture } from "../../../src/engine/container-store.ts";
import { AppError } from "../../../src/errors.ts";
import { createTaskRole } from "../../../src/routes/guard/caller-role.ts";
import { container } from "../../support/containers.ts";
import { network, withNetwork } from "../../support/networks.ts";
import { definition } from "../metadata/definition-builder.ts";

const ARN = "arn:aws:iam::111122223333:role/team/shop";
const [WEB, GATEWAY, STARTING, STRANGER] = ["127.0.7.2", "127.0.7.1", "127.0.7.9", "203.0.113.9"];
const bridge = network({ name: "n", subnet: "127.0.7.0/24", gateway: GATEWAY });

function start(taskRole: string | undefined, hasDefinition = true) {
  const picture = createPicture();
  const make = (name: string, ipv4: string) => toContainer(withNetwork(container({ name }), bridge, { ipv4 }));
  picture.put(make("web", WEB));
  const shop = definition("shop", ["web"], { taskRole });
  const world = {
    asked: 0,
    isCertain: true,
    isLost: false,
    waited: [] as string[],
    rival: undefined as typeof shop | undefined,
  };
  const role = createTaskRole({
    inventory: {
      picture,
      async ready() {
        if (world.isLost) throw new AppError("engine-unavailable", "the engine is silent");
        return 0;
      },
      atAddress: (address) => (world.isCertain ? picture.claimants(address)[0] : undefined),
      async waitForAddress(address) {
        world.waited.push(address);
        return address === STARTING ? make("new", STARTING) : picture.claimants(address)[0];
      },
    },
    isHost: (address) => address.startsWith("127.") && address !== GATEWAY && address !== STARTING,
    definitionOf: () => {
      world.asked += 1;
      if (!hasDefinition) throw new AppError("no-task-role", "it is of none");
      return shop;
    },
  });
  /** The role's id, or the code of the error. */
  async function ask(address: string): Promise<string | undefined> {
    try {
      return (await role(address))?.id;
    } catch (error) {
      return (error as AppError).code;
    }
  }
  return { role, world, ask, picture };
}

describe("a container is given the role of its task's definition", () => {
  for (const role of [ARN, "shop", "team/shop"]) {
    test(`which is ${role}, in the same turn and as the same object`, () => {
      const { role: roleOf } = start(role);
      expect(roleOf(WEB)).toMatchObject({ id: role });
      expect(roleOf(`::ffff:${WEB}`)).toBe(roleOf(WEB) as never);
    });
  }
  test("waited for while it starts, or is not certain", async () => {
    const { ask, world } = start("shop");
    expect(await ask(STARTING)).toBe("shop");
    world.isCertain = false;
    expect(await ask(WEB)).toBe("shop");
  });
  test("and none where it is of no definition, also not the session", () => {
    expect(() => start("shop", false).role(WEB)).toThrow(expect.objectContaining({ code: "no-task-role" }));
  });
  test("and an error that names the file where the definition has no role", () => {
    expect(() => start(undefined).role(WEB)).toThrow(
      expect.objectContaining({
        code: "no-task-role",
        message: "The task definition 'shop' (shop.json) has no taskRoleArn, so that its tasks have no credentials",
        hint: expect.stringContaining("add taskRoleArn"),
      }),
    );
  });
});

describe("a caller that is no container", () => {
  test("is given the session where it is this machine, and nothing is asked", () => {
    const { role, world } = start("shop");
    expect([role("127.0.0.1"), world.asked]).toEqual([undefined, 0]);
  });
  test("is refused where it has this machine's address and may be a container of a rootless engine's", async () => {
    const { ask, picture } = start("shop");
    picture.setElsewhere(true);
    expect(await ask("127.0.0.1")).toBe("caller-unknown");
  });
  test("is refused where it cannot be told, with the remedy", async () => {
    const { ask, role, world } = start("shop");
    expect([await ask(GATEWAY), await ask(STRANGER)]).toEqual(["caller-unknown", "caller-unknown"]);
    // A gateway will never be a container's address: it need not wait.
    expect(world.waited).toEqual([STRANGER]);
    await expect(role(STRANGER) as Promise<unknown>).rejects.toThrow(
      expect.objectContaining({ hint: "ask from a container, not by a published port, or ask for /role/<name>" }),
    );
  });
  test("is refused while the engine cannot tell", async () => {
    const { ask, world } = start("shop");
    world.isLost = true;
    world.isCertain = false;
    expect([await ask(WEB), await ask(STRANGER)]).toEqual(["engine-unavailable", "engine-unavailable"]);
    expect(await ask("127.0.0.1")).toBeUndefined();
  });
});
