import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTokenRule } from "../../../../src/routes/guard/token.ts";

const folder = mkdtempSync(join(tmpdir(), "token-"));
const file = join(folder, "token");
afterAll(() => rmSync(folder, { recursive: true }));
let at = 0;
beforeEach(() => {
  at = 0;
});

function asking(config: { authToken?: string; authTokenFile?: string }) {
  const rule = createTokenRule({ authToken: undefined, authTokenFile: undefined, ...config }, () => at);
  return (authorization?: string) => {
    const request = new Request("http://h/", { headers: authorization === undefined ? {} : { authorization } });
    try {
      rule?.(request);
      return "let in";
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
}

describe("a token", () => {
  test("is not asked for unless there is one", () => {
    expect(createTokenRule({ authToken: undefined, authTokenFile: undefined }, () => at)).toBeUndefined();
  });
  const ask = asking({ authToken: "Bearer battery-staple" });
  test("is the whole header, as it stands", () => expect(ask("Bearer battery-staple")).toBe("let in"));
  for (const wrong of [
    "battery-staple",
    "Bearer correct-hors",
    "Bearer battery-staples",
    "bearer battery-staple",
    "",
    "x",
  ]) {
    test(`is not '${wrong}'`, () => expect(ask(wrong)).toBe("forbidden"));
  }
  test("that is missing is another error than a wrong one", () => expect(ask()).toBe("unauthorized"));
});

describe("a token's file", () => {
  test("is read again when it changed, within a second", () => {
    writeFileSync(file, "first\n");
    const ask = asking({ authTokenFile: file });
    expect(ask("first")).toBe("let in");
    writeFileSync(file, "second-one\n");
    expect(ask("first")).toBe("let in");
    at = 1_000;
    expect([ask("first"), ask("second-one")]).toEqual(["forbidden", "let in"]);
  });
  test("is read again when another took its place", () => {
    writeFileSync(file, "first\n");
    const ask = asking({ authTokenFile: file });
    writeFileSync(join(folder, "next"), "other\n");
    renameSync(join(folder, "next"), file);
    at = 1_000;
    expect([ask("first"), ask("other")]).toEqual(["forbidden", "let in"]);
  });
  test("that is lost or empty refuses all callers, until it is back", () => {
    writeFileSync(file, "first\n");
    const ask = asking({ authTokenFile: file });
    writeFileSync(file, "");
    at = 1_000;
    expect([ask("first"), ask("")]).toEqual(["forbidden", "forbidden"]);
    rmSync(file);
    at = 2_000;
    expect(ask("first")).toBe("forbidden");
    writeFileSync(file, "first\n");
    at = 3_000;
    expect(ask("first")).toBe("let in");
  });
  test("that is not there is a bad start", () => {
    expect(() => asking({ authTokenFile: join(folder, "nothing") })).toThrow("ECS_LOCAL_AUTH_TOKEN_FILE");
  });
});
