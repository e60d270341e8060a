import { describe, expect, test } from "bun:test";
import { type Container, toContainer } from "../../../src/engine/container.ts";
import { type Caller, taskKeyOf, unknownCaller } from "../../../src/metadata/find-container.ts";
import { container, withComposeProject } from "../../support/containers.ts";

function member(project: string, service: string, running = true): Container {
  return toContainer(withComposeProject(container({ name: `${project}-${service}-1`, running }), project, service));
}

const web = member("shop", "web");
const db = member("shop", "db");
const api = member("blog", "api");
const alone = toContainer(container({ name: "alone" }));
const caller = (kind: "host" | "gateway" | "stranger"): Caller => ({ kind, address: "172.18.0.1" });

const example = (name: string) => `/v3/containers/${name}`;

describe("the task of a request", () => {
  for (const [title, all, asker, expected] of [
    ["by a container is its own", [api, web], { kind: "container", container: web }, "project shop"],
    ["by a container of none is the machine's", [api, alone], { kind: "container", container: alone }, undefined],
    ["by the host is the machine's", [web, api], caller("host"), undefined],
    ["by the host is the machine's where there is one task only", [web], caller("host"), undefined],
    ["by a gateway is the one task that runs", [web, db], caller("gateway"), "project shop"],
    ["by a gateway is the machine's where a container of none runs", [alone], caller("gateway"), undefined],
    [
      "by a gateway does not see what has stopped",
      [member("blog", "job", false), web],
      caller("gateway"),
      "project shop",
    ],
    ["by a gateway is the machine's where nothing runs", [member("blog", "job", false)], caller("gateway"), undefined],
  ] as const) {
    test(title, () => expect(taskKeyOf(all, asker, example)).toBe(expected));
  }

  for (const [title, all, asker, code] of [
    ["by a gateway beside two tasks", [web, api], caller("gateway"), "caller-unknown"],
    ["by a gateway beside a task and a container of none", [web, alone], caller("gateway"), "caller-unknown"],
    ["by a stranger beside one task", [web], caller("stranger"), "caller-unknown"],
    ["by a stranger beside none", [], caller("stranger"), "caller-unknown"],
  ] as const) {
    test(`${title} is an error`, () =>
      expect(() => taskKeyOf(all, asker, example)).toThrow(expect.objectContaining({ code })));
  }
});

describe("an unknown caller is told", () => {
  const path = "name one in the path, as in /v3/containers/shop-web-1; running are: shop-web-1";
  for (const [kind, reason] of [
    ["host", "The request came from this machine (172.18.0.1), which is no container"],
    ["gateway", "The request came by way of a gateway (172.18.0.1), which hides the container that asks"],
    ["stranger", "The request came from 172.18.0.1, which is the address of no running container"],
  ] as const) {
    test(`what is wrong with ${kind}, and the path that works`, () => {
      const error = unknownCaller({ kind, address: "172.18.0.1" }, [web, member("blog", "job", false)], example);
      expect(error.sentence).toBe(`${reason}; ${path}`);
    });
  }

  test("of the first container by name, whatever the order of the engine", () => {
    for (const all of [
      [web, db, api],
      [api, db, web],
    ]) {
      const { hint } = unknownCaller({ kind: "host", address: "::1" }, all, example);
      expect(hint).toBe(
        "name one in the path, as in /v3/containers/blog-api-1; running are: blog-api-1, shop-db-1, shop-web-1",
      );
    }
  });

  test("that nothing runs", () => {
    const error = unknownCaller({ kind: "host", address: "::1" }, [member("blog", "job", false)], example);
    expect(error.sentence).toBe(
      "The request came from this machine (::1), which is no container; no container is running",
    );
  });

  test("of ten containers at most", () => {
    const many = Array.from({ length: 11 }, (_, index) => toContainer(container({ name: `box-${index}` })));
    expect(unknownCaller({ kind: "host", address: "::1" }, many, example).sentence).toEndWith(", box-8 and 1 more");
  });
});
