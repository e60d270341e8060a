import { afterEach, describe, expect, test } from "bun:test";
import { BLOG_CACHE, BLOG_WEB, HOST, NEWSFEED, ORDERS, SHOP_DB, SHOP_PROXY, SHOP_WEB } from "./machine.ts";
import { expectAgentError, jsonOf, type Subject } from "./subject.ts";

const PATH = "/api/task-protection/v1/state";
const of = (identifier: string) => `/api/${identifier}/task-protection/v1/state`;
const ON = '{"ProtectionEnabled":true}';
const OFF = '{"ProtectionEnabled":false}';
const DEFAULT_ARN = "arn:aws:ecs:us-west-2:111111111111:task/ecs-local-cluster/37e873f6-37b4-42a7-af47-eac7275c6152";
const ORDERS_ARN = "arn:aws:ecs:eu-west-1:111122223333:task/staging/0f9de17a6465404e8b1b2356dc13c2f8";
const MINUTE_MS = 60_000;

export function protectionContract({ ask, connect }: Subject): void {
  const put = (from: string, body: string, path = PATH) => ask(from, path, { method: "PUT", body });
  const isProtected = async (from: string, path = PATH): Promise<boolean> =>
    jsonOf(await ask(from, path)).protection.ProtectionEnabled;

  describe("task protection", () => {
    afterEach(async () => {
      for (const { address } of [SHOP_WEB, BLOG_WEB, NEWSFEED, ORDERS]) await put(address, OFF);
    });

    test("is off at first, in the agent's bytes", async () => {
      const answer = await ask(ORDERS.address, PATH);
      expect(answer).toMatchObject({ status: 200, headers: { "content-type": "application/json" } });
      expect(answer.body).toBe(
        `{"protection":{"ExpirationDate":null,"ProtectionEnabled":false,"TaskArn":"${ORDERS_ARN}"}}`,
      );
    });

    for (const [body, minutes] of [
      [ON, 120],
      ['{"ProtectionEnabled":true,"ExpiresInMinutes":null}', 120],
      ['{"ProtectionEnabled":true,"ExpiresInMinutes":1}', 1],
      ['{"ExpiresInMinutes":2880,"ProtectionEnabled":true}', 2880],
    ] as const) {
      test(`is set for ${minutes} minutes by ${body}, and read as it was set`, async () => {
        const begunMs = Math.floor(Date.now() / 1000) * 1000;
        const answer = await put(SHOP_WEB.address, body);
        const { ExpirationDate } = jsonOf(answer).protection;
        expect(ExpirationDate).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        expect(Date.parse(ExpirationDate)).toBeWithin(
          begunMs + minutes * MINUTE_MS,
          Date.now() + minutes * MINUTE_MS + 1,
        );
        expect(answer.body).toBe(
          `{"protection":{"ExpirationDate":"${ExpirationDate}","ProtectionEnabled":true,"TaskArn":"${DEFAULT_ARN}"}}`,
        );
        expect(answer.status).toBe(200);
        expect((await ask(SHOP_WEB.address, PATH)).body).toBe(answer.body);
      });
    }

    test("is taken away again, whatever time is named", async () => {
      await put(SHOP_WEB.address, ON);
      const answer = await put(SHOP_WEB.address, '{"ProtectionEnabled":false,"ExpiresInMinutes":99999}');
      expect(jsonOf(answer).protection).toMatchObject({ ExpirationDate: null, ProtectionEnabled: false });
      expect(await isProtected(SHOP_WEB.address)).toBe(false);
    });

    test("is a task's: its members share it, and no other task has it", async () => {
      await put(SHOP_WEB.address, ON);
      expect(await isProtected(SHOP_DB.address)).toBe(true);
      expect(await isProtected(SHOP_DB.addressInBlog)).toBe(true);
      for (const { address } of [BLOG_WEB, BLOG_CACHE, NEWSFEED, ORDERS])
        expect(await isProtected(address)).toBe(false);
      expect(await isProtected(HOST)).toBe(false);
      for (const [path, expected] of [
        [of("shop-db-1"), true],
        [of("containers/shop-db-1"), true],
        [of(SHOP_PROXY.id), true],
        [of("db"), true],
        [of("shop%2Dweb%2D1"), true],
        [`${of("db")}/`, true],
        [of("blog-web-1"), false],
        [of("orders"), false],
      ] as const) {
        expect(await isProtected(HOST, path), path).toBe(expected);
      }
    });

    test("may be set by name: of the caller's own task, and of any by the host", async () => {
      expect((await put(SHOP_WEB.address, ON, of("web"))).status).toBe(200);
      expect((await put(HOST, ON, of("blog-cache-1"))).status).toBe(200);
      const states = await Promise.all(
        [SHOP_DB, BLOG_WEB, NEWSFEED, ORDERS].map(({ address }) => isProtected(address)),
      );
      expect(states).toEqual([true, true, false, false]);
    });

    test("is not set for another task than that of the container that asks", async () => {
      for (const [from, name] of [
        [SHOP_WEB.address, "blog-web-1"],
        [SHOP_WEB.address, BLOG_CACHE.id],
        [SHOP_WEB.address, "newsfeed"],
        [NEWSFEED.address, "shop-web-1"],
        [BLOG_CACHE.address, "orders"],
      ] as const) {
        const text = expectAgentError(await put(from, ON, of(name)), 403, "AccessDeniedException");
        expect(text, name).toContain("not its own");
      }
      for (const { address } of [SHOP_WEB, BLOG_WEB, NEWSFEED, ORDERS]) expect(await isProtected(address)).toBe(false);
    });

    for (const [what, from, path] of [
      ["an id that nothing has", SHOP_WEB.address, of("missing")],
      ["a name that two projects have", HOST, of("web")],
    ] as const) {
      test(`of ${what} is an error that says which containers there are, and sets nothing`, async () => {
        for (const answer of [await ask(from, path), await put(from, ON, path)]) {
          const text = expectAgentError(answer, 404, "ResourceNotFoundException");
          expect(text).toStartWith("Failed to find a task for the request: ");
          expect(text).toContain("shop-web-1");
        }
        for (const { address } of [SHOP_WEB, BLOG_WEB, NEWSFEED]) expect(await isProtected(address)).toBe(false);
      });
    }

    for (const body of [
      "",
      "x",
      "[]",
      '{"ProtectionEnabled":"true"}',
      '{"ProtectionEnabled":true,"X":1}',
      "\ufeff{}",
    ]) {
      test(`refuses the body ${JSON.stringify(body)}, before the task is looked for`, async () => {
        for (const path of [PATH, of("missing")]) {
          const answer = await put(SHOP_WEB.address, body, path);
          expect(answer.status).toBe(400);
          expect(answer.body).toBe(
            '{"error":{"Code":"InvalidParameterException","Message":"UpdateTaskProtection: failed to decode request"}}',
          );
        }
      });
    }

    for (const body of ["{}", "null", '{"ProtectionEnabled":null}', '{"ExpiresInMinutes":5}']) {
      test(`refuses the body ${body}, which lacks the field, with the task`, async () => {
        const answer = await put(ORDERS.address, body);
        expect(answer.status).toBe(400);
        expect(answer.body).toBe(
          `{"error":{"Arn":"${ORDERS_ARN}","Code":"InvalidParameterException","Message":"Invalid request: does not contain 'ProtectionEnabled' field"}}`,
        );
        expectAgentError(await put(ORDERS.address, body, of("missing")), 404, "ResourceNotFoundException");
      });
    }

    for (const minutes of ["0", "-1", "2881", "99999"]) {
      test(`refuses ${minutes} minutes, and keeps what was set`, async () => {
        await put(ORDERS.address, ON);
        const before = (await ask(ORDERS.address, PATH)).body;
        const answer = await put(ORDERS.address, `{"ProtectionEnabled":true,"ExpiresInMinutes":${minutes}}`);
        expect(expectAgentError(answer, 400, "InvalidParameterException")).toContain(minutes);
        expect(jsonOf(answer).error.Arn).toBe(ORDERS_ARN);
        expect((await ask(ORDERS.address, PATH)).body).toBe(before);
      });
    }

    for (const method of ["HEAD", "POST", "PATCH", "DELETE", "OPTIONS"]) {
      test(`is not for ${method}: 405 without a body`, async () => {
        for (const path of [PATH, of("web"), of("missing")]) {
          const answer = await ask(SHOP_WEB.address, path, { method, body: ON });
          expect(answer).toMatchObject({ status: 405, body: "" });
          expect(answer.headers.allow).toBe("GET, PUT");
        }
      });
    }

    test("is behind the guard, which refuses in its form: a page in a browser sets nothing", async () => {
      for (const [name, value] of [
        ["Origin", "http://169.254.170.2"],
        ["Referer", "http://evil.example/"],
        ["Sec-Fetch-Site", "cross-site"],
        ["Via", "1.1 proxy"],
        ["Host", "evil.example"],
      ] as const) {
        for (const method of ["GET", "PUT"]) {
          const answer = await ask(SHOP_WEB.address, PATH, { method, body: ON, headers: { [name]: value } });
          expectAgentError(answer, 403, "AccessDeniedException");
        }
      }
      expect(await isProtected(SHOP_WEB.address)).toBe(false);
      expectAgentError(await ask(SHOP_WEB.address, of("%zz")), 400, "InvalidParameterException");
    });

    test("takes a body in pieces, and one of 64 KiB; a longer one is 413 and sets nothing", async () => {
      const connection = await connect(SHOP_WEB.address);
      connection.send(`PUT ${PATH} HTTP/1.1\r\nHost: ecs\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"Pro\r\n`);
      await Bun.sleep(20);
      connection.send(`${(ON.length - 5).toString(16)}\r\n${ON.slice(5)}\r\n0\r\n\r\n`);
      expect((await connection.answer()).status).toBe(200);
      connection.send(`PUT ${PATH} HTTP/1.1\r\nHost: ecs\r\nContent-Length: ${OFF.length}\r\n\r\n${OFF}`);
      expect(jsonOf(await connection.answer()).protection.ProtectionEnabled).toBe(false);
      connection.close();
      expect((await put(SHOP_WEB.address, ON.padEnd(65_537))).status).toBe(413);
      expect(await isProtected(SHOP_WEB.address)).toBe(false);
      expect((await put(SHOP_WEB.address, ON.padEnd(65_536))).status).toBe(200);
    });

    test("keeps no request waiting for a body that does not come", async () => {
      const slow = await connect(SHOP_WEB.address);
      slow.send(`PUT ${PATH} HTTP/1.1\r\nHost: ecs\r\nContent-Length: ${ON.length}\r\n\r\n{"Pro`);
      expect((await put(SHOP_DB.address, ON)).status).toBe(200);
      slow.close();
      expect(await isProtected(SHOP_WEB.address)).toBe(true);
    });
  });
}
