import { describe, expect, test } from "bun:test";
import { checkSubnets } from "../../../../src/commands/doctor/address.ts";
import {
  canReach,
  checkReach,
  networksInUse,
  type Routes,
  routeOf,
} from "../../../../src/commands/doctor/reachability.ts";
import type { RunningContainer } from "../../../../src/commands/doctor/running-containers.ts";
import type { BridgeNetwork } from "../../../../src/network/bridges.ts";
import { COMMANDS } from "../../../support/doctor-commands.ts";

const net = (network: string, subnet: string, more: Partial<BridgeNetwork> = {}): BridgeNetwork => ({
  ...{ network, interfaceName: `br-${network}`, internal: false, subnets: [subnet], gateways: [] },
  ...more,
});
const on = (name: string, networks: string[], networkMode = networks[0] ?? "none"): RunningContainer => ({
  ...{ id: `id-${name}`, name, image: "app", networkMode, variables: new Set<string>(), endpoints: new Map() },
  networks: networks.map((one) => ({ name: one, ipv4: "10.0.0.9" })),
});
const home = net("ecs", "169.254.170.0/24");
const shop = net("shop", "10.1.0.0/16");
const closed = net("closed", "10.2.0.0/16", { internal: true });
const routes: Routes = {
  ...{ containers: [], networks: [home, shop, closed], home: undefined, ledBridges: [], answering: "none" },
  ...{ isOnMachine: false, isOpenToMachine: false },
};

describe("a way to the address", () => {
  test("is the network's own, the rules of its bridge, or an interface of the machine", () => {
    expect(routeOf(home, routes)).toContain("network of that address");
    expect(routeOf(shop, routes)).toBeUndefined();
    expect(routeOf(shop, { ...routes, ledBridges: ["br-other"] })).toBeUndefined();
    expect(routeOf(shop, { ...routes, ledBridges: ["br-shop"] })).toContain("br-shop");
    expect(routeOf(shop, { ...routes, isOnMachine: true })).toContain("interface");
  });
  test("does not lead out of an internal network", () => {
    expect(routeOf(closed, { ...routes, ledBridges: ["br-closed"], isOnMachine: true })).toBeUndefined();
  });
  test("is any that a container has, or the one whose network it shares", () => {
    const web = on("web", ["shop", "ecs"]);
    const lone = on("lone", ["shop"]);
    const sidecar = (owner: string) => on("side", [], `container:${owner}`);
    const all = [web, lone];
    expect(
      [web, lone, sidecar("id-web"), sidecar("lone"), sidecar("gone")].map((one) =>
        canReach(one, { ...routes, containers: all }),
      ),
    ).toEqual([true, false, true, false, false]);
    expect(canReach(on("host", [], "host"), routes)).toBeFalse();
    expect(canReach(on("host", [], "host"), { ...routes, isOpenToMachine: true })).toBeTrue();
    expect(canReach(on("none", [], "none"), { ...routes, isOnMachine: true, isOpenToMachine: true })).toBeFalse();
    const loop = [on("a", [], "container:b"), on("b", [], "container:a")];
    expect(loop.map((one) => canReach(one, { ...routes, containers: loop }))).toEqual([false, false]);
  });
});

describe("reach", () => {
  test("is of the networks that containers are on, else of all", () => {
    expect(networksInUse(routes, [on("web", ["shop"])])).toEqual([shop]);
    expect(networksInUse(routes, [])).toEqual(routes.networks);
  });
  test("is not of a network whose containers all have a way by another", () => {
    const both = on("web", ["shop", "ecs"]);
    expect(networksInUse(routes, [both])).toEqual([home]);
    expect(networksInUse(routes, [both, on("db", ["shop"])])).toEqual([home, shop]);
    expect(networksInUse({ ...routes, ledBridges: ["br-shop"] }, [both])).toEqual([home, shop]);
  });
  const JOIN = "put it on a network 169.254.170.0/24 with our container, or run: sudo ecs-local-endpoints network up";
  const SEE_DOCS = "docs/errors.md and docs/security.md have more";
  for (const [title, network, inside, state, text, remedy] of [
    ["a route", home, undefined, "ok", "has a route", undefined],
    ["no route", shop, undefined, "warning", "has no route", JOIN],
    [
      "an answer",
      shop,
      { kind: "asked", credentials: { status: 200 }, metadata: { status: 200 } },
      "ok",
      "credentials yes, metadata yes",
      undefined,
    ],
    [
      "a refusal",
      home,
      { kind: "asked", credentials: { status: 403, message: "not you" }, metadata: undefined },
      "problem",
      "credentials 403 (not you), metadata no answer",
      SEE_DOCS,
    ],
    [
      "credentials and no metadata",
      home,
      { kind: "asked", credentials: { status: 200 }, metadata: { status: 503, message: "no engine; mount it" } },
      "warning",
      "credentials yes, metadata 503",
      `do what that answer says after its semicolon; ${SEE_DOCS}`,
    ],
    [
      "a token that is asked for",
      home,
      { kind: "asked", credentials: { status: 401, message: "no token" }, metadata: { status: 401 } },
      "warning",
      "credentials 401 (no token)",
      "doctor sends no token: check that your containers have AWS_CONTAINER_AUTHORIZATION_TOKEN",
    ],
    [
      "a way without answer",
      home,
      { kind: "asked", credentials: undefined, metadata: undefined },
      "problem",
      "got no answer from 169.254.170.2, though it is the network of that address",
      "check that our server runs and no firewall is in between: see address and rules above",
    ],
    [
      "neither",
      shop,
      { kind: "asked", credentials: undefined, metadata: undefined },
      "warning",
      "got no answer from 169.254.170.2",
      JOIN,
    ],
    ["no caller", home, { kind: "unasked", why: "no image", remedy: "make it" }, "warning", "no image", "make it"],
  ] as const) {
    test(`with ${title} is ${state}`, () => {
      const found = checkReach(network, routes, inside, COMMANDS);
      expect(found.message).toStartWith(`a container on ${network.network}`);
      expect(found).toMatchObject({ check: "reach", state, message: expect.stringContaining(text) });
      expect(found.remedy).toBe(remedy);
    });
  }
});

describe("the remedy of reach", () => {
  const of = (answer: { status: number; message?: string }, more: object = {}, seen: Partial<Routes> = {}) => {
    const inside = { kind: "asked", credentials: answer, metadata: undefined, ...more } as const;
    return checkReach(home, { ...routes, ...seen }, inside, COMMANDS).remedy;
  };
  test("is that of the answer, which has it after its semicolon, or in the log where only its status is known", () => {
    expect(of({ status: 403, message: "not you; add it" })).toContain("after its semicolon");
    expect(of({ status: 403 })).toContain("log");
  });
  test("is the address where something that is not our server answers there", () => {
    expect(of({ status: 403 }, {}, { answering: "other" })).toBe("do what address above says");
    expect(of({ status: 200 }, {}, { answering: "other" })).toBe("do what address above says");
    // What asked from inside knows better than who asks from elsewhere.
    expect(of({ status: 403 }, { server: "us" }, { answering: "other" })).toContain("log");
    expect(of({ status: 403 }, { server: "other" })).toBe("do what address above says");
  });
  test("joins the network of our container, and is not a rule for an internal one", () => {
    const remedy = (network: BridgeNetwork) =>
      checkReach(network, { ...routes, home: "ecs" }, undefined, { ...COMMANDS, engine: "podman" }).remedy;
    expect(remedy(shop)).toContain(
      "podman network connect ecs <container>, or run: sudo ecs-local-endpoints network up",
    );
    expect(remedy(closed)).not.toContain("network up");
  });
});

test("a network's name is one word of the command that a remedy has, whatever it is", () => {
  const inside = { ...routes, home: "x; touch y #" };
  expect(checkReach(shop, inside, undefined, COMMANDS).remedy).toStartWith(
    "put it on the network of our container: docker network connect 'x; touch y #' <container>, or run: ",
  );
  const [found] = checkSubnets([net("x$(touch y)'z", "169.254.0.0/16")], undefined, COMMANDS);
  expect(found?.remedy).toContain(": docker network rm 'x$(touch y)'\\''z', once");
});

describe("a subnet", () => {
  for (const [title, networks, home, wrong] of [
    ["of others", [net("shop", "10.1.0.0/16")], undefined, []],
    ["of our container's network", [net("ecs", "169.254.170.0/24")], "ecs", []],
    ["made for our container", [net("ecs", "169.254.170.0/24")], undefined, []],
    ["that is a part of ours", [net("part", "169.254.170.128/25")], undefined, ["part"]],
    ["that contains ours", [net("all", "169.254.0.0/16")], undefined, ["all"]],
    ["beside our container's", [net("ecs", "169.254.170.0/25"), net("two", "169.254.170.128/25")], "ecs", ["two"]],
  ] as const) {
    test(`${title} is ${wrong.length ? "a problem" : "ok"}`, () => {
      const found = checkSubnets(networks, home, COMMANDS);
      expect(found.filter(({ state }) => state === "problem").map(({ message }) => message.split(" ")[2])).toEqual([
        ...wrong,
      ]);
      expect(found).toHaveLength(1);
    });
  }
});
