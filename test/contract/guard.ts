import { describe, expect, test } from "bun:test";
import { SHOP_WEB } from "./machine.ts";
import { EVERY_PATH } from "./routes.ts";
import { expectError, expectErrorObject, type Subject } from "./subject.ts";

const from = SHOP_WEB.address;

export function guardContract({ ask, connect }: Subject): void {
  describe("a Host", () => {
    const statusOf = async (host: string) => (await ask(from, "/creds", { headers: { Host: host } })).status;

    for (const host of [
      "169.254.170.2",
      "169.254.170.2:51679",
      "[fd00:ec2::23]:80",
      "localhost",
      "LOCALHOST:51679",
      "ecs-local_endpoints:51679",
      "host.docker.internal.",
      "gateway.docker.internal",
      "host.containers.internal",
      "host.lima.internal",
    ]) {
      test(`that is ${host} is ours`, async () => {
        expect(await statusOf(host)).toBe(200);
      });
    }

    for (const host of [
      "evil.example",
      "evil.example:51679",
      "169.254.170.2.evil.example",
      "localhost.evil.example",
      "host.docker.internal.evil.example",
      "docker.internal",
      "a b",
    ]) {
      test(`that is ${host} is not ours`, async () => {
        const answer = await ask(from, "/creds", { headers: { Host: host } });
        const text = expectErrorObject(answer, 403);
        expect(text).toContain(host);
        expect(text).toContain("ECS_LOCAL_ALLOWED_HOSTS");
      });
    }

    test("that is given twice is a bad request", async () => {
      const connection = await connect(from);
      connection.send("GET /creds HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n");
      expectErrorObject(await connection.answer(), 400);
      connection.close();
    });
  });

  describe("a request", () => {
    for (const [name, value] of [
      ["Origin", "http://169.254.170.2"],
      ["Origin", "null"],
      ["Referer", "http://169.254.170.2/"],
      ["Sec-Fetch-Site", "none"],
      ["Sec-Fetch-Mode", "navigate"],
      ["Sec-Fetch-Dest", "document"],
      ["Sec-Fetch-User", "?1"],
      ["X-Forwarded-For", "127.0.0.1"],
      ["Forwarded", "for=127.0.0.1"],
      ["Via", "1.1 proxy"],
    ] as const) {
      test(`of a browser or a proxy is refused by its ${name}: ${value}`, async () => {
        const answer = await ask(from, "/creds", { headers: { [name]: value } });
        expect(expectErrorObject(answer, 403)).toContain(name.toLowerCase());
      });
    }

    test("of an SDK is not refused by what SDKs send", async () => {
      const headers = {
        "User-Agent": "aws-sdk-js/3",
        Accept: "application/json",
        Authorization: "x",
        "amz-sdk-request": "attempt=1",
      };
      expect((await ask(from, "/creds", { headers })).status).toBe(200);
    });

    test("is refused on every route alike, and on what is none", async () => {
      for (const path of [...EVERY_PATH, "/nothing"]) {
        for (const name of ["Origin", "Host"]) {
          expectError(await ask(from, path, { headers: { [name]: "evil.example" } }), path, 403);
        }
      }
    });
  });
}
