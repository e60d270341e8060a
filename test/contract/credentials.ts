import { describe, expect, test } from "bun:test";
import { HOST, SHOP_WEB } from "./machine.ts";
import { CREDENTIAL_ROUTES, ROLE_ARN } from "./routes.ts";
import { expectErrorObject, jsonOf, type Subject } from "./subject.ts";

/** The agent's keys in its order, all of them text, and the end in whole seconds. */
const BODY =
  /^\{"RoleArn":"[^"]*","AccessKeyId":"\w{16,}","SecretAccessKey":"[^"]+","Token":"[^"]+","Expiration":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"\}$/;

export function credentialsContract({ ask }: Subject): void {
  describe("a credentials route", () => {
    for (const [path, roleArn] of CREDENTIAL_ROUTES) {
      for (const asked of [path, `${path}/`]) {
        test(`${asked} returns`, async () => {
          const answer = await ask(SHOP_WEB.address, asked);
          expect(answer.status, answer.body).toBe(200);
          expect(answer.body).toMatch(BODY);
          const { RoleArn, Expiration } = jsonOf(answer);
          expect(RoleArn).toMatch(roleArn);
          expect(Date.parse(Expiration)).toBeGreaterThan(Date.now() + 600_000);
        });
      }
    }

    test("answers HEAD with the headers of GET and no body", async () => {
      for (const [path] of CREDENTIAL_ROUTES) {
        const get = await ask(SHOP_WEB.address, path);
        const head = await ask(SHOP_WEB.address, path, { method: "HEAD" });
        expect([head.status, head.headers["content-type"], head.body], path).toEqual([200, "application/json", ""]);
        expect(head.headers["content-length"], path).toBe(get.headers["content-length"] ?? "");
      }
    });

    test("returns the same credentials again, to whom and by which name it may be", async () => {
      const first = await ask(SHOP_WEB.address, `/role-arn/${ROLE_ARN}`);
      expect((await ask(HOST, `/role/${encodeURIComponent(ROLE_ARN)}`)).body).toBe(first.body);
      expect((await ask(HOST, "/role/app")).body).not.toBe(first.body);
    });
  });

  describe("a role", () => {
    for (const name of ["a", "x".repeat(64), "app+=,.@-_1", "team/x/app"]) {
      test(`'${name}' is one that IAM could have`, async () => {
        expect(jsonOf(await ask(SHOP_WEB.address, `/role/${name}`)).RoleArn).toEndWith(`:role/${name}`);
      });
    }

    for (const [path, shown] of [
      ["/role", "/role/<name>"],
      ["/role/", "/role/<name>"],
      ["/role-arn", "/role-arn/<ARN>"],
      ["/role-arn/", "/role-arn/<ARN>"],
      [`/role/${"x".repeat(65)}`, "xxx"],
      ["/role/a%20b", "a b"],
      ["/role/a*b", "a*b"],
      ["/role/caf%C3%A9", "café"],
      ["/role/a%00b", "\\u0000"],
      ["/role//app", "/app"],
      ["/role/team//app", "team//app"],
      ["/role-arn/app", "app"],
      ["/role-arn/arn:aws:iam::1111:role/app", "12 digits"],
      ["/role-arn/arn:aws:iam::111122223333:user/dev", "user/dev"],
      ["/role/arn:aws:sts::111122223333:assumed-role/app/x", "assumed-role"],
    ] as const) {
      test(`that IAM would refuse is refused with the value or the remedy: ${path.slice(0, 60)}`, async () => {
        const answer = await ask(SHOP_WEB.address, path);
        expect(expectErrorObject(answer, 400)).toContain(shown);
        expect(jsonOf(answer).code).toBe("InvalidRole");
      });
    }
  });
}
