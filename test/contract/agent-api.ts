import { describe, expect, test } from "bun:test";
import { HOST, ORDERS } from "./machine.ts";
import { expectAgentError, jsonOf, type Subject } from "./subject.ts";

const FAULT = "/api/fault/v1/network-latency/start";
const ORDERS_ARN = "arn:aws:ecs:eu-west-1:111122223333:task/staging/0f9de17a6465404e8b1b2356dc13c2f8";

/** What the agent has beside metadata and task protection, and a double has nothing of. */
export function agentApiContract({ ask }: Subject): void {
  describe("a fault", () => {
    test("is enabled for no task", async () => {
      for (const [type, operation] of [
        ["network-blackhole-port", "start"],
        ["network-latency", "stop"],
        ["network-packet-loss", "status"],
      ]) {
        for (const base of ["/api", "/api/orders", "/api/containers/orders"]) {
          const path = `${base}/fault/v1/${type}/${operation}`;
          const answer = await ask(ORDERS.address, path, { method: "POST", body: "{}" });
          expect(answer.status, path).toBe(400);
          expect(answer.body).toBe(`{"Error":"enableFaultInjection is not enabled for task: ${ORDERS_ARN}"}`);
        }
      }
    });

    test("needs a body, a container that is known and POST", async () => {
      for (const path of [FAULT, "/api/missing/fault/v1/network-latency/start"]) {
        const empty = await ask(ORDERS.address, path, { method: "POST", body: "" });
        expect([empty.status, empty.body]).toEqual([400, '{"Error":"required request body is missing"}']);
        expect(await ask(ORDERS.address, path)).toMatchObject({ status: 405, body: "", headers: { allow: "POST" } });
      }
      const path = "/api/missing/fault/v1/network-latency/start";
      const lost = await ask(ORDERS.address, path, { method: "POST", body: "{}" });
      expect(lost.status).toBe(404);
      expect(jsonOf(lost).Error).toMatch(/^unable to lookup container: .*missing/);
      const headers = { Origin: "null" };
      const foreign = await ask(ORDERS.address, FAULT, { method: "POST", body: "{}", headers });
      expect([foreign.status, jsonOf(foreign).Error]).toEqual([403, expect.stringContaining("origin")]);
    });

    test("of another kind is not a route", async () => {
      for (const path of ["/api", "/api/web", "/api/fault/v1/cpu/start", "/api/web/task-protection/v2/state"]) {
        expect((await ask(ORDERS.address, path)).status, path).toBe(404);
      }
      expect(
        expectAgentError(
          await ask(ORDERS.address, "/api/a/b/task-protection/v1/state"),
          404,
          "ResourceNotFoundException",
        ),
      ).toContain("/api");
    });
  });

  describe("associations", () => {
    for (const base of ["/v3", "/v3/orders", "/v3/containers/orders", "/v4", "/v4/orders", "/v4/containers/orders"]) {
      test(`${base}: there are none, and no single one`, async () => {
        const list = await ask(ORDERS.address, `${base}/associations/elastic-inference`);
        expect([list.status, list.body]).toEqual([200, '{"Associations":null}']);
        const one = await ask(ORDERS.address, `${base}/associations/gpu/a/b%20c`);
        expect([one.status, jsonOf(one)]).toEqual([
          400,
          "Unable to write container association response: unable to get association from association type gpu and association name a/b c",
        ]);
      });
    }

    test("of a container that is not known are 400, in each version", async () => {
      for (const version of ["v3", "v4"]) {
        for (const path of ["missing/associations/gpu", "missing/associations/gpu/x"]) {
          const answer = await ask(ORDERS.address, `/${version}/${path}`);
          expect([answer.status, jsonOf(answer)]).toEqual([400, expect.stringContaining("missing")]);
        }
        expect((await ask(HOST, `/${version}/associations/gpu`)).status).toBe(400);
      }
    });
  });
}
