import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseRole, sessionNameOf } from "../../../src/credentials/role.ts";
import { AppError } from "../../../src/errors.ts";

const ARN = "arn:aws:iam::111122223333:role/app";
const DEEP = "arn:aws-cn:iam::111122223333:role/team/x/app";

describe("accepted", () => {
  for (const [text, id, name] of [
    ["app", "app", "app"],
    ["app/", "app", "app"],
    ["team/x/app", "team/x/app", "app"],
    ["team%2Fx%2Fapp", "team/x/app", "app"],
    ["a+b=c,d.e@f-g_h", "a+b=c,d.e@f-g_h", "a+b=c,d.e@f-g_h"],
    ["n".repeat(64), "n".repeat(64), "n".repeat(64)],
    [ARN, ARN, "app"],
    [`${ARN}/`, ARN, "app"],
    [encodeURIComponent(DEEP), DEEP, "app"],
    [DEEP, DEEP, "app"],
  ] as const) {
    test(text, () => expect(parseRole(text, "any")).toMatchObject({ id, name }));
  }
});

describe("refused, with the rule", () => {
  for (const [text, rule] of [
    ["", "names no role"],
    ["/", "names no role"],
    ["n".repeat(65), "1 to 64 letters"],
    ["a b", "1 to 64 letters"],
    ["a%20b", "1 to 64 letters"],
    ["a%2520b", "1 to 64 letters"],
    ["a%00", "1 to 64 letters"],
    ["a//b", "path is segments"],
    ["%zz", "percent-encoding"],
    ["%ff", "percent-encoding"],
    ["arn:aws:iam::12345:role/app", "12 digits"],
    ["arn:aws:iam::111122223333:user/app", "12 digits"],
    ["arn:aws:iam::111122223333:role/", "12 digits"],
    ["arn:gcp:iam::111122223333:role/app", "12 digits"],
    [`${ARN}//b`, "path is segments"],
    ["x".repeat(2049), "2048 characters"],
  ] as const) {
    test(text.slice(0, 60) || "nothing", () => {
      expect(() => parseRole(text, "any")).toThrow(rule);
    });
  }
  test("a name where only an ARN is taken", () => expect(() => parseRole("app", "arn")).toThrow("a role's ARN is"));
  test("a long value is cut", () => expect(() => parseRole("x y".repeat(500), "any")).toThrow(/^.{0,200}$/));
});

test("whatever is sent gives a role that IAM takes or bad-role", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webPath(), fc.string().map(encodeURIComponent)), (text) => {
      try {
        const role = parseRole(text, "any");
        expect(role.name).toMatch(/^[\w+=,.@-]{1,64}$/);
        expect(sessionNameOf(role)).toMatch(/^[\w+=,.@-]{2,64}$/);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
        expect((error as AppError).code).toBe("bad-role");
      }
    }),
  );
});

test("an ARN comes back whole, encoded or not", () => {
  const name = fc.stringMatching(/^[\w+=,.@-]{1,64}$/);
  fc.assert(
    fc.property(name, fc.stringMatching(/^([a-z]{1,8}\/){0,3}$/), (last, path) => {
      const arn = `arn:aws:iam::111122223333:role/${path}${last}`;
      expect(parseRole(encodeURIComponent(arn), "arn")).toEqual({ kind: "arn", id: arn, arn, name: last });
      expect(parseRole(arn, "arn")).toEqual({ kind: "arn", id: arn, arn, name: last });
    }),
  );
});

test("the session name is the reference's, cut to 64", () => {
  expect(sessionNameOf(parseRole("team/app", "any"))).toBe("ecs-local-app");
  expect(sessionNameOf(parseRole("n".repeat(64), "any"))).toBe(`ecs-local-${"n".repeat(54)}`);
});
