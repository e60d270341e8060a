import { describe, expect, test } from "bun:test";
import { type RawRequest, requestText } from "../support/raw-http.ts";
import { BLOG_WEB, SHOP_DB, SHOP_WEB } from "./machine.ts";
import { EVERY_PATH, ROLE_ARN } from "./routes.ts";
import { jsonOf, type Subject } from "./subject.ts";

export function connectionsContract({ ask, connect }: Subject): void {
  /** One request after the other, refused ones among them, with what is told of each answer. */
  const REQUESTS: readonly (readonly [RawRequest, status: number, text: string])[] = [
    [{ path: "/v3" }, 200, SHOP_WEB.id],
    [{ path: "/creds" }, 200, '"RoleArn":""'],
    [{ path: "/v3", method: "HEAD" }, 200, ""],
    [{ path: "/nothing" }, 404, "/nothing"],
    [{ path: `/role-arn/${ROLE_ARN}` }, 200, ROLE_ARN],
    [{ path: "/v3/%zz" }, 400, "%"],
    [{ path: "/v3/containers/db" }, 200, SHOP_DB.id],
    [{ path: "/health" }, 200, "ok"],
  ];

  describe("a connection", () => {
    test("is kept for one request after the other", async () => {
      const connection = await connect(SHOP_WEB.address);
      for (const [request, status, text] of REQUESTS) {
        connection.send(requestText(request));
        const answer = await connection.answer(request.method);
        expect(answer).toMatchObject({ status, body: expect.stringContaining(text) });
      }
      connection.close();
    });

    test("carries requests that do not wait for the answers, which come in their order", async () => {
      // All answers must be at hand: Bun drops a connection on which a request comes while an earlier one waits.
      for (const [{ path }] of REQUESTS) await ask(SHOP_WEB.address, path);
      const connection = await connect(SHOP_WEB.address);
      connection.send(REQUESTS.map(([request]) => requestText(request)).join(""));
      for (const [request, status, text] of REQUESTS) {
        const answer = await connection.answer(request.method);
        expect(answer).toMatchObject({ status, body: expect.stringContaining(text) });
      }
      connection.close();
    });

    test("is its own caller's, whatever others ask between", async () => {
      const callers = [SHOP_WEB, BLOG_WEB, SHOP_DB];
      const connections = await Promise.all(callers.map(({ address }) => connect(address)));
      for (let round = 0; round < 2; round += 1) {
        for (const connection of connections) connection.send(requestText({ path: "/v3" }));
        const answers = await Promise.all(connections.map((connection) => connection.answer()));
        expect(answers.map((answer) => jsonOf(answer).DockerId)).toEqual(callers.map(({ id }) => id));
      }
      for (const connection of connections) connection.close();
    });

    test("does not take the body of a refused request for the next request", async () => {
      const connection = await connect(SHOP_WEB.address);
      const body = requestText({ path: "/creds" });
      const headers = { "Content-Length": String(body.length) };
      connection.send(requestText({ path: "/v3", method: "POST", headers }) + body);
      expect((await connection.answer()).status).toBe(405);
      connection.send(requestText({ path: "/v3" }));
      expect(jsonOf(await connection.answer()).DockerId).toBe(SHOP_WEB.id);
      connection.close();
    });

    for (const [wish, request] of [
      ["where the client wishes it", requestText({ path: "/v3", headers: { Connection: "close" } })],
      ["of HTTP/1.0, which knows of no second request", "GET /v3 HTTP/1.0\r\nHost: ecs\r\n\r\n"],
    ] as const) {
      test(`ends after the answer ${wish}`, async () => {
        const connection = await connect(SHOP_WEB.address);
        connection.send(request);
        expect((await connection.answer()).status).toBe(200);
        await expect(connection.answer()).rejects.toThrow("the server closed");
      });
    }
  });

  describe("half a request", () => {
    const whole = requestText({ path: "/v3" });

    test("keeps no other request waiting, and is answered when it is whole", async () => {
      const connection = await connect(SHOP_WEB.address);
      connection.send(whole.slice(0, 20));
      expect((await ask(BLOG_WEB.address, "/v3")).status).toBe(200);
      connection.send(whole.slice(20, -2));
      expect((await ask(BLOG_WEB.address, "/v3")).status).toBe(200);
      connection.send(whole.slice(-2));
      expect(jsonOf(await connection.answer()).DockerId).toBe(SHOP_WEB.id);
      connection.close();
    });

    test("of a client that hangs up does no harm", async () => {
      for (const length of [1, 20, whole.length - 1]) {
        const connection = await connect(SHOP_WEB.address);
        connection.send(whole.slice(0, length));
        connection.close();
        expect(jsonOf(await ask(SHOP_WEB.address, "/v3")).DockerId).toBe(SHOP_WEB.id);
      }
    });
  });

  describe("every route is reached", () => {
    test("by HTTP/1.0 without a Host, where only a check of health is answered, and the rest is told why not", async () => {
      const answers: string[] = [];
      for (const path of EVERY_PATH) {
        const connection = await connect(SHOP_WEB.address);
        connection.send(`GET ${path} HTTP/1.0\r\n\r\n`);
        const { status, body } = await connection.answer();
        if (path !== "/health" || status !== 200) answers.push(`${status} ${body.includes("names no Host")}`);
        connection.close();
      }
      expect(new Set(answers)).toEqual(new Set(["400 true"]));
    });

    describe("a request without a Host is not answered as another path than the guard has seen", () => {
      for (const path of [
        "/health?/creds",
        "/health?/role/admin",
        "/health?/v3/task",
        "/v3?/creds",
        "/health/../creds",
      ]) {
        for (const [how, head] of [
          ["HTTP/1.0", `GET ${path} HTTP/1.0\r\n\r\n`],
          ["an empty Host", `GET ${path} HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n`],
        ] as const) {
          test(`${path} by ${how}`, async () => {
            const connection = await connect(SHOP_WEB.address);
            connection.send(head);
            const { status, body } = await connection.answer();
            if (status === 200) expect(Object.keys(JSON.parse(body))[0]).toBe("status");
            else expect(status).toBe(400);
            connection.close();
          });
        }
      }
    });

    for (const host of ["a", "ecs", "ecs:80", "ecs-local-container-endpoints"]) {
      test(`by the Host ${host}`, async () => {
        const missed: string[] = [];
        for (const path of EVERY_PATH) {
          const { status } = await ask(SHOP_WEB.address, path, { headers: { Host: host } });
          if (status !== 200) missed.push(`${status} ${path}`);
        }
        expect(missed).toEqual([]);
      });

      test(`by the Host ${host}, and never another one: the role 'health' is a role`, async () => {
        const answer = await ask(SHOP_WEB.address, "/role/health", { headers: { Host: host } });
        expect(jsonOf(answer).RoleArn).toEndWith(":role/health");
      });
    }

    test("by a target that is a whole URL", async () => {
      for (const path of EVERY_PATH) {
        expect((await ask(SHOP_WEB.address, `http://169.254.170.2${path}`)).status, path).toBe(200);
      }
    });
  });
}
