import { beforeEach, describe, expect, test } from "bun:test";
import { limitRate } from "../../../src/routes/rate-limit.ts";

let at = 0;
let refused: string[] = [];
beforeEach(() => {
  at = 0;
  refused = [];
});

function start(perSecond: number, burst: number) {
  const fetch = limitRate(
    () => new Response("{}"),
    { perSecond, burst },
    {
      peerOf: (request) => ({ address: request.headers.get("from") ?? "10.0.0.2", port: 4242 }),
      now: () => at,
      refused: (path, address) => void refused.push(`${path} ${address}`),
    },
  );
  return (path = "/v3", headers: Record<string, string> = {}) => fetch(new Request(`http://h${path}`, { headers }));
}
const statusesOf = async (count: number, ask: () => Response | Promise<Response>) => {
  const statuses = [];
  for (let index = 0; index < count; index += 1) statuses.push((await ask()).status);
  return statuses;
};

describe("a rate limit of 40,60", () => {
  test("answers sixty at once, and then 429 with the agent's bytes", async () => {
    const ask = start(40, 60);
    expect(new Set(await statusesOf(60, ask))).toEqual(new Set([200]));
    const answer = await ask();
    expect([answer.status, answer.headers.get("content-type")]).toEqual([429, "text/plain; charset=utf-8"]);
    expect(await answer.text()).toBe("You have reached maximum request limit.");
    expect(refused).toEqual(["/v3 10.0.0.2"]);
  });
  test("says so in the agent's headers of every answer", async () => {
    const ask = start(40, 1);
    for (const status of [200, 429]) {
      const { headers, ...answer } = await ask("/v3", { "x-forwarded-for": "10.9.9.9" });
      expect({ ...answer, status }).toMatchObject({ status });
      expect(headers.get("x-rate-limit-limit")).toBe("40.00");
      expect(headers.get("x-rate-limit-duration")).toBe("1");
      expect(headers.get("x-rate-limit-request-forwarded-for")).toBe("10.9.9.9");
      expect(headers.get("x-rate-limit-request-remote-addr")).toBe("10.0.0.2:4242");
    }
    expect((await ask("/v3", { from: "::1" })).headers.get("x-rate-limit-request-remote-addr")).toBe("[::1]:4242");
  });
  test("gives back forty a second, and never more than sixty", async () => {
    const ask = start(40, 60);
    await statusesOf(61, ask);
    at = 100;
    expect(await statusesOf(5, ask)).toEqual([200, 200, 200, 200, 429]);
    at = 1_000_000;
    expect((await statusesOf(61, ask)).filter((status) => status === 200)).toHaveLength(60);
  });
  test("counts each address and each path for itself", async () => {
    const ask = start(1, 1);
    expect([
      (await ask()).status,
      (await ask("/v3/task")).status,
      (await ask("/v3", { from: "10.0.0.3" })).status,
    ]).toEqual([200, 200, 200]);
    expect([(await ask("/v3?x=1")).status, (await ask("/v3/task")).status]).toEqual([429, 429]);
  });
  test("counts all paths that are too long as one, of each address", async () => {
    const ask = start(1, 1);
    const long = `/${"x".repeat(2047)}`;
    const other = { from: "10.0.0.3" };
    expect([
      (await ask(`${long}1`)).status,
      (await ask(`${long}2`)).status,
      (await ask(`${long}3`, other)).status,
      (await ask(long)).status,
      (await ask("/")).status,
    ]).toEqual([200, 429, 200, 200, 200]);
  });
  test("does not count /health", async () => {
    const ask = start(1, 1);
    expect(await statusesOf(5, () => ask("/health"))).toEqual([200, 200, 200, 200, 200]);
  });
});
