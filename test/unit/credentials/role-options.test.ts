import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRoles } from "../../../src/credentials/role-options.ts";
import { AppError } from "../../../src/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "roles-"));
afterAll(() => rmSync(folder, { recursive: true }));
const ARN = "arn:aws:iam::111122223333:role/team/app";

function read(content: unknown): ReturnType<typeof readRoles> {
  const path = join(folder, "roles.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return readRoles(path);
}

test("every key and every field are taken", () => {
  const options = {
    externalId: "a/b:c-1",
    sessionTags: { team: "x", cost: "" },
    transitiveTagKeys: ["team"],
    durationSeconds: 900,
    sessionName: "me@corp",
  };
  expect([...read({ app: options, "team/app": {}, [ARN]: options, "*": { durationSeconds: 43_200 } })]).toEqual([
    ["app", options],
    ["team/app", {}],
    [ARN, options],
    ["*", { durationSeconds: 43_200 }],
  ]);
  expect(readRoles(undefined).size).toBe(0);
  expect([...read('\uFEFF{"app":{}}').keys()]).toEqual(["app"]);
});

describe("a wrong file stops the start, with the path, the place, the reason and the fields", () => {
  for (const [content, reason] of [
    ["{", "which is not JSON: "],
    ["inOneWord", "which is not JSON: Unexpected identifier"],
    [[], "which is not a JSON object"],
    [{ "a b": {} }, '"a b" is not a role'],
    [{ "arn:aws:iam::1:role/x": {} }, "12 digits"],
    [{ app: [] }, '"app" is not an object'],
    [{ app: { externalID: "x" } }, "\"app\" has 'externalID'"],
    [{ app: { toString: "x" } }, "\"app\" has 'toString'"],
    [{ app: { externalId: "x" } }, '"app" has a externalId that is not 2 to 1224'],
    [{ app: { sessionTags: { a: 1 } } }, '"app" has a sessionTags that is not an object'],
    [{ app: { sessionTags: { a: "x".repeat(257) } } }, '"app" has a sessionTags'],
    [{ app: { sessionTags: { a: "1" }, transitiveTagKeys: ["b"] } }, "'b' in transitiveTagKeys, not in sessionTags"],
    [{ app: { durationSeconds: 899 } }, '"app" has a durationSeconds that is not a whole number of seconds from 900'],
    [{ app: { durationSeconds: 43_201 } }, "43200"],
    [{ app: { durationSeconds: "3600" } }, '"app" has a durationSeconds'],
    [{ app: { sessionName: "a b" } }, '"app" has a sessionName'],
    [{ "*": { sessionName: "n".repeat(65) } }, '"*" has a sessionName'],
  ] as const) {
    test(JSON.stringify(content).slice(0, 70), () => {
      let failure: unknown;
      try {
        read(content);
      } catch (error) {
        failure = error;
      }
      expect(failure).toBeInstanceOf(AppError);
      const { code, publicMessage, hint } = failure as AppError;
      expect(code).toBe("bad-configuration");
      expect(publicMessage).toStartWith(`ECS_LOCAL_ROLES is '${join(folder, "roles.json")}', `);
      expect(publicMessage).toContain(reason);
      expect(hint).toEndWith("externalId, sessionTags, transitiveTagKeys, durationSeconds, sessionName");
    });
  }
  test("one that is missing", () => {
    const path = join(folder, "none");
    expect(() => readRoles(path)).toThrow(`'${path}', which cannot be read`);
  });
});
