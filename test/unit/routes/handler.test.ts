import { describe, expect, test } from "bun:test";
import { type Answer, createHandlers } from "../../../src/routes/handler.ts";

const request = new Request("http://h/v3/web");

/** A handler with a guard that refuses or not; failures are answered with what was thrown. */
function setup(answer: Answer, refusal?: unknown) {
  const handler = createHandlers({
    guard: (asked, path) => {
      expect([asked, path]).toEqual([request, "/v3/web"]);
      if (refusal) throw refusal;
    },
    addressOf: () => "10.0.0.2",
    fail: (error, failed) => new Response(`${error} of ${failed}`, { status: 500 }),
  });
  return handler(answer);
}

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
  test("asks nobody when the guard refuses", async () => {
    const handler = setup(() => expect.unreachable(), "refused");
    expect(await textOf(handler({ request }))).toBe("refused of /v3/web");
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
    });
  }
});
