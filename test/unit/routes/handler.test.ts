import { describe, expect, test } from "bun:test";
import type { Rule } from "../../../src/routes/guard/rule.ts";
import { type Answer, createHandlers } from "../../../src/routes/handler.ts";

const request = new Request("http://h/v3/web");

/** A handler with a guard; failures are answered with what was thrown. */
function setup(answer: Answer, guard: Rule = () => {}, also?: Rule) {
  const handler = createHandlers({
    guard(asked, path, address) {
      expect([asked, path, address]).toEqual([request, "/v3/web", "10.0.0.2"]);
      return guard(asked, path, address);
    },
    addressOf: () => "10.0.0.2",
    refuse: (error, path, address) => new Response(`${error} of ${path} by ${address}`, { status: 403 }),
    fail: (error, failed) => new Response(`${error} of ${failed}`, { status: 500 }),
  });
  return handler(answer, also);
}

const throwing = () => {
  throw "refused";
};
const rejecting = () => Promise.reject("refused");
const REFUSED = "refused of /v3/web by 10.0.0.2";

const textOf = async (response: Response | Promise<Response>) => (await response).text();

describe("a handler", () => {
  test("gives an answer the path as it was sent and the address", async () => {
    const handler = setup((path, address) => new Response(`${path} ${address}`));
    expect(await textOf(handler({ request }))).toBe("/v3/web 10.0.0.2");
  });
  test("answers in the same turn what is at hand", () => {
    const response = new Response("x");
    expect(setup(() => response)({ request })).toBe(response);
  });
  for (const [title, guard, also] of [
    ["the guard refuses", throwing, undefined],
    ["the guard refuses after a wait", rejecting, undefined],
    ["its own rule refuses", undefined, throwing],
    ["its own rule refuses after the guard's wait", () => Promise.resolve(), throwing],
  ] as const) {
    test(`asks nobody when ${title}`, async () => {
      expect(await textOf(setup(() => expect.unreachable(), guard, also)({ request }))).toBe(REFUSED);
    });
  }
  test("answers after the guard's wait", async () => {
    expect(
      await textOf(
        setup(
          () => new Response("x"),
          async () => {},
        )({ request }),
      ),
    ).toBe("x");
  });
  test("does not ask its own rule when the guard refuses", async () => {
    expect(
      await textOf(
        setup(
          () => expect.unreachable(),
          rejecting,
          () => expect.unreachable(),
        )({ request }),
      ),
    ).toBe(REFUSED);
  });
  for (const [title, answer] of [
    [
      "throws",
      () => {
        throw "down";
      },
    ],
    ["rejects", () => Promise.reject("down")],
  ] as const) {
    test(`maps the failure of an answer that ${title}`, async () => {
      expect(await textOf(setup(answer)({ request }))).toBe("down of /v3/web");
      expect(await textOf(setup(answer, async () => {})({ request }))).toBe("down of /v3/web");
    });
  }
});
