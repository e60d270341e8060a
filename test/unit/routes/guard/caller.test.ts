import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../../src/engine/container.ts";
import { createPicture } from "../../../../src/engine/container-store.ts";
import { createCallerRule } from "../../../../src/routes/guard/caller.ts";
import { container } from "../../../support/containers.ts";
import { network, withNetwork } from "../../../support/networks.ts";

const bridge = network({ name: "n", subnet: "10.0.0.0/24", gateway: "10.0.0.1" });

function start() {
  const picture = createPicture();
  let at = 0;
  let looks = 0;
  let waits = 0;
  const claimants = (address: string) => {
    looks += 1;
    return picture.claimants(address);
  };
  const rule = createCallerRule({
    inventory: {
      picture: { ...picture, claimants },
      engine: () => ({}) as never,
      ready: async () => 0,
      async waitForAddress() {
        waits += 1;
        return undefined;
      },
    },
    own: {
      has: (address) => address === "10.9.9.9" && at < 1_000,
      isInContainerSubnet: () => false,
      subnets: () => [],
    },
    isInContainer: () => false,
    defaultGateways: () => [],
    allowedNetworks: [],
    refuseGateway: false,
    now: () => at,
  });
  const ask = (address: string, path = "/creds") => rule(new Request("http://h/"), path, address);
  return {
    picture,
    ask,
    looks: () => looks,
    waits: () => waits,
    wait: (ms: number) => {
      at += ms;
    },
  };
}
const put = (picture: ReturnType<typeof createPicture>) =>
  picture.put(toContainer(withNetwork(container({ name: "web" }), bridge, { ipv4: "10.0.0.2" })));
const forbidden = expect.objectContaining({ code: "forbidden" });

describe("a caller who is known", () => {
  test("is let in without a promise", () => {
    const { ask, picture } = start();
    put(picture);
    for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.9.9.9", "10.0.0.2", "::ffff:10.0.0.2"]) {
      expect(ask(address), address).toBeUndefined();
    }
  });
  test("is not looked up again until the picture changes", async () => {
    const { ask, picture, looks } = start();
    put(picture);
    await ask("10.0.0.2");
    const before = looks();
    for (let index = 0; index < 100; index += 1) await ask("10.0.0.2");
    expect(looks()).toBe(before);
    picture.remove([...picture.containers.keys()][0] ?? "");
    expect(await Promise.resolve(ask("10.0.0.2")).catch((error) => error)).toEqual(forbidden);
  });
  test("by an address of ours is looked at again after a second", async () => {
    const { ask, wait } = start();
    expect(ask("10.9.9.9")).toBeUndefined();
    wait(999);
    expect(ask("10.9.9.9")).toBeUndefined();
    wait(1);
    expect(await Promise.resolve(ask("10.9.9.9")).catch((error) => error)).toEqual(forbidden);
  });
});

describe("a caller who is not known", () => {
  test("is refused with the variable and his address as a network", async () => {
    const hint = (address: string) => Promise.resolve(start().ask(address)).catch((error) => error.hint);
    expect(await hint("203.0.113.9")).toContain("ECS_LOCAL_ALLOWED_NETWORKS, as in 203.0.113.9/32");
    expect(await hint("2001:DB8::9")).toContain("2001:db8::9/128");
  });
  test("waits once for all that he asks at once, and again later", async () => {
    const { ask, waits } = start();
    const askAll = () => Promise.allSettled(Array.from({ length: 50 }, () => ask("203.0.113.9")));
    expect((await askAll()).map(({ status }) => status)).toEqual(Array(50).fill("rejected"));
    expect(waits()).toBe(1);
    await askAll();
    expect(waits()).toBe(2);
  });
  test("is told to try again where a thousand others wait", async () => {
    const { ask } = start();
    const all = Array.from({ length: 1_000 }, (_, index) => ask(`10.8.${index >> 8}.${index & 255}`));
    expect(() => ask("203.0.113.9")).toThrow(expect.objectContaining({ code: "engine-unavailable" }) as Error);
    expect((await Promise.allSettled(all)).every(({ status }) => status === "rejected")).toBe(true);
    expect(await Promise.resolve(ask("203.0.113.9")).catch((error) => error)).toEqual(forbidden);
  });
  test("without an address is refused", async () => {
    expect(await Promise.resolve(start().ask("")).catch((error) => error)).toEqual(forbidden);
  });
  test("is let in to /health, and to nothing beside it", async () => {
    const { ask } = start();
    expect(ask("203.0.113.9", "/health")).toBeUndefined();
    for (const path of ["/health/", "/healthz", "//health"]) {
      expect(await Promise.resolve(ask("203.0.113.9", path)).catch((error) => error), path).toEqual(forbidden);
    }
  });
});
