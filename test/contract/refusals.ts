import { describe, expect, test } from "bun:test";
import { version as VERSION } from "../../package.json";
import { SHOP_WEB } from "./machine.ts";
import { EVERY_PATH } from "./routes.ts";
import { expectError, jsonOf, type Subject } from "./subject.ts";

const from = SHOP_WEB.address;

export function refusalsContract({ ask, connect, engine }: Subject): void {
  test("/health says that it is well, and of engine and identity how they stand", async () => {
    const { status, version, engine, identity } = jsonOf(await ask(from, "/health"));
    expect({ status, version, engine }).toEqual({ status: "ok", version: VERSION, engine: "connected" });
    expect(["ok", "unknown"]).toContain(identity.status);
  });

  describe("a method", () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]) {
      test(`${method} is refused on every route with those that are allowed`, async () => {
        for (const path of [...EVERY_PATH, "/nothing"]) {
          const answer = await ask(from, path, { method });
          expect(expectError(answer, path, 405), path).toContain(method);
          expect(answer.headers.allow, path).toBe("GET, HEAD");
        }
      });
    }
  });

  describe("a path without a route is 404 with the routes there are", () => {
    for (const path of ["/cred", "/V3/task", "/rolle/app", "/v2/credentials", "/v3x", "/v3/containers/web/taks"]) {
      test(path, async () => {
        const text = expectError(await ask(from, path), path, 404);
        expect(text).toContain(`There is nothing at ${path}`);
        for (const route of ["/creds", "/role/<name>", "/v3", "/v4", "/health"]) expect(text).toContain(route);
      });
    }
  });

  test("HEAD of a path that is none is 404 without a body", async () => {
    expect(await ask(from, "/v3x", { method: "HEAD" })).toMatchObject({ status: 404, body: "" });
  });

  describe("a path", () => {
    for (const [begin, status] of [
      ["/v3/", 500],
      ["/role/", 400],
      ["/nothing/", 404],
    ] as const) {
      test(`of 2 KiB is read, and of one byte more it is not: ${begin}`, async () => {
        const longest = begin + "x".repeat(2048 - begin.length);
        expect(expectError(await ask(from, longest), begin, status)).toContain("xxx…");
        expect(expectError(await ask(from, `${longest}x`), begin, 400)).toContain("2048");
      });
    }

    test("that fills the head of a request is 431, and its neighbour 400", async () => {
      expect((await ask(from, `/v3/${"x".repeat(15_000)}`)).status).toBe(400);
      expect((await ask(from, `/v3/${"x".repeat(17_000)}`)).status).toBe(431);
    });

    for (const path of [
      "/v3/%zz",
      "/v3/%ff",
      "/v3/containers/%",
      "/v2/stats/%c3%28",
      "/role/%zz",
      "/creds/%ff",
      "/%e9",
    ]) {
      test(`that cannot be decoded is refused: ${path}`, async () => {
        expect(expectError(await ask(from, path), path, 400)).toContain("%");
      });
    }
  });

  test("a body over 64 KiB is 413 before it is sent, and a smaller one is not read", async () => {
    for (const [bytes, status] of [
      [65_537, 413],
      [65_536, 405],
    ] as const) {
      const connection = await connect(from);
      connection.send(
        `POST /creds HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes}\r\n\r\n${"x".repeat(65_536)}`,
      );
      expect((await connection.answer()).status, `${bytes}`).toBe(status);
      connection.close();
    }
  });

  test("what is known and what is refused cost the engine nothing", async () => {
    const paths = ["/v3", "/v3/task", "/v3/stats", "/v3/containers/missing", "/nothing", "/role/a*b", "/v3/%zz"];
    for (const path of paths) await ask(from, path);
    const asked = () => engine().requests.filter((path) => path !== "/_ping").length;
    const before = asked();
    for (let i = 0; i < 20; i += 1) for (const path of paths) await ask(from, path);
    expect(asked()).toBe(before);
  });
}
