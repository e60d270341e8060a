import { describe, expect, test } from "bun:test";
import { type Container, toContainer } from "../../../src/engine/container.ts";
import { type Caller, taskOf, unknownCaller } from "../../../src/metadata/caller.ts";
import { container, withComposeProject } from "../../support/containers.ts";

function member(project: string, service: string, running = true): Container {
  return toContainer(withComposeProject(container({ name: `${project}-${service}-1`, running }), project, service));
}

const web = member("shop", "web");
const db = member("shop", "db");
const api = member("blog", "api");
const alone = toContainer(container({ name: "alone" }));
const caller = (kind: "host" | "gateway" | "stranger"): Caller => ({ kind, address: "172.18.0.1" });

describe("the task of a request", () => {
  for (const [title, all, asker, expected] of [
    ["by a container is its own", [api, web], { kind: "container", container: web }, [web]],
    ["by the host is the machine's", [web, api], caller("host"), [undefined]],
    ["by the host is the machine's where there is one task only", [web], caller("host"), [undefined]],
    ["by a gateway is the one task that runs", [web, db], caller("gateway"), [web, db]],
    ["by a gateway does not see what has stopped", [web, member("blog", "job", false)], caller("gateway"), [web]],
    [
      "by a gateway is the machine's where nothing runs",
      [member("blog", "job", false)],
      caller("gateway"),
      [undefined],
    ],
  ] as const) {
    test(title, () => expect(expected as readonly unknown[]).toContain(taskOf(all, asker)));
  }

  for (const [title, all, asker, code] of [
    ["by a gateway beside two tasks", [web, api], caller("gateway"), "caller-unknown"],
    ["by a gateway beside a task and a container of none", [web, alone], caller("gateway"), "caller-unknown"],
    ["by a stranger beside one task", [web], caller("stranger"), "caller-unknown"],
    ["by a stranger beside none", [], caller("stranger"), "caller-unknown"],
  ] as const) {
    test(`${title} is an error`, () => expect(() => taskOf(all, asker)).toThrow(expect.objectContaining({ code })));
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
      const error = unknownCaller({ kind, address: "172.18.0.1" }, [web, member("blog", "job", false)]);
      expect(error.sentence).toBe(`${reason}; ${path}`);
    });
  }

  test("that nothing runs", () => {
    const error = unknownCaller({ kind: "host", address: "::1" }, [member("blog", "job", false)]);
    expect(error.sentence).toBe(
      "The request came from this machine (::1), which is no container; no container is running",
    );
  });

  test("of ten containers at most", () => {
    const many = Array.from({ length: 11 }, (_, index) => toContainer(container({ name: `box-${index}` })));
    expect(unknownCaller({ kind: "host", address: "::1" }, many).sentence).toEndWith(", box-8 and 1 more");
  });
});
