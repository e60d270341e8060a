import { describe, expect, test } from "bun:test";
import {
  checkHiddenEndpoints,
  checkMetadataVersion,
  checkRoutes,
  checkTwoEndpoints,
} from "../../../../src/commands/doctor/environments.ts";
import type { RunningContainer } from "../../../../src/commands/doctor/running-containers.ts";
import { COMMANDS } from "../../../support/doctor-commands.ts";

const RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const V4 = "ECS_CONTAINER_METADATA_URI_V4";
const routes = {
  ...{ containers: [], networks: [], home: undefined, ledBridges: [], answering: "none" as const },
  ...{ isOnMachine: false, isOpenToMachine: false },
};
const shop = { network: "shop", interfaceName: "br-shop", internal: false, subnets: ["10.0.0.0/24"], gateways: [] };

function web(variables: string[], endpoints: Record<string, string> = {}): RunningContainer {
  const names = new Set([...variables, ...Object.keys(endpoints)]);
  const base = {
    id: "1",
    name: "web",
    image: "app",
    networkMode: "shop",
    networks: [{ name: "shop", ipv4: "10.0.0.9" }],
  };
  return { ...base, variables: names, endpoints: new Map(Object.entries(endpoints)) };
}

describe("a container's environment", () => {
  for (const [variables, state] of [
    [[RELATIVE], "ok"],
    [["AWS_ACCESS_KEY_ID"], "warning"],
    [["AWS_ACCESS_KEY_ID", RELATIVE], "problem"],
    [["AWS_ACCESS_KEY_ID", FULL], "problem"],
    [["AWS_WEB_IDENTITY_TOKEN_FILE", FULL], "problem"],
  ] as const) {
    test(`with ${variables.join(" and ")} hides the endpoint: ${state}`, () => {
      const found = checkHiddenEndpoints([web([...variables])]);
      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject({ check: "hidden-endpoint", state });
      if (state === "ok") return;
      expect(found[0]?.message).toContain(`container web has ${variables[0]}`);
      expect(found[0]?.remedy).toBe(`remove ${variables[0]} from the container's environment, and make it again`);
    });
  }
  test("with both variables of the endpoint is a warning", () => {
    expect(checkTwoEndpoints([web([RELATIVE]), web([FULL])])).toMatchObject([{ state: "ok" }]);
    const remedy = `remove ${FULL} from the container's environment, or the other, and make it again`;
    expect(checkTwoEndpoints([web([RELATIVE, FULL])])).toMatchObject([{ state: "warning", remedy }]);
  });
  test("that asks at 169.254.170.2 from nowhere is a problem, and the absolute form is not", () => {
    expect(checkRoutes([web([FULL])], routes, COMMANDS)).toMatchObject([{ state: "ok" }]);
    expect(checkRoutes([web([RELATIVE])], routes, COMMANDS)).toMatchObject([
      { state: "problem", message: expect.stringContaining("(shop)"), remedy: expect.any(String) },
    ]);
  });
  test("is shown a way that its networks allow", () => {
    const remedyFor = (networkMode: string, more: object = {}, networks: (typeof shop)[] = [shop]) => {
      const one = { ...web([RELATIVE]), networkMode, ...more };
      return checkRoutes([one], { ...routes, networks, home: "ecs" }, COMMANDS)[0]?.remedy;
    };
    const up = "or run: sudo ecs-local-endpoints network up";
    expect(remedyFor("shop")).toBe(`run: docker network connect ecs web, ${up}`);
    // Rules do not apply in an internal network.
    expect(remedyFor("shop", {}, [{ ...shop, internal: true }])).toBe("run: docker network connect ecs web");
    expect(remedyFor("host", { networks: [] })).toBe(`make it again on the network ecs, ${up}`);
    expect(remedyFor("none", { networks: [] })).toBe("make it again on the network ecs");
    expect(remedyFor("container:x", { networks: [] })).toBe(
      "put the container whose network it shares on the network ecs",
    );
  });
  test("is shown a way whose names are a word each, whatever they are", () => {
    const remedyOf = (networkMode: string) =>
      checkRoutes(
        [{ ...web([RELATIVE]), name: "w`touch y`", networkMode }],
        { ...routes, home: "x$(touch y)" },
        COMMANDS,
      )[0]?.remedy;
    expect(remedyOf("shop")).toBe("run: docker network connect 'x$(touch y)' 'w`touch y`'");
    expect(remedyOf("none")).toBe("make it again on the network 'x$(touch y)'");
    expect(remedyOf("container:a")).toEndWith("shares on the network 'x$(touch y)'");
  });
  for (const [url, state] of [
    ["http://169.254.170.2/v3", "warning"],
    ["http://169.254.170.2/v3/containers/web", "warning"],
    ["http://169.254.170.2/v4", "ok"],
    ["http://169.254.170.2/v4/", "ok"],
    ["http://169.254.170.2/v30", "ok"],
    ["nonsense", "ok"],
  ] as const) {
    test(`with ${V4}=${url} is ${state}`, () => {
      const remedy = state === "ok" ? undefined : `set ${V4} to http://169.254.170.2/v4: version 4 is there`;
      const found = checkMetadataVersion([web([], { [V4]: url })]);
      expect(found).toMatchObject([{ check: "metadata-version", state }]);
      expect(found[0]?.remedy).toBe(remedy);
    });
  }
  test("with a final slash in the variable of version 3 is fine", () => {
    const one = web([RELATIVE], { ECS_CONTAINER_METADATA_URI: "http://169.254.170.2/v3/" });
    expect(checkMetadataVersion([one])).toMatchObject([{ state: "ok" }]);
  });
});
