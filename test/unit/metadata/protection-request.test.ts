import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeProtection } from "../../../src/metadata/task-protection.ts";

// What Go 1.26's decoder makes of each, with unknown fields refused, was tried.
describe("a body is read as the agent reads it", () => {
  for (const [body, enabled, minutes] of [
    ['{"ProtectionEnabled":true}', true, undefined],
    ['\n\t {"ProtectionEnabled" : false }\r\n', false, undefined],
    ['{"protectionenabled":true}', true, undefined],
    ['{"PROTECTIONENABLED":true,"expiresinminutes":60}', true, 60n],
    ['{"\\u0050rotectionEnabled":true}', true, undefined],
    // The long s folds to an s, and the dotless i to nothing.
    ['{"Expire\u017fInMinutes":3}', undefined, 3n],
    ['{"ProtectionEnabled":true,"ExpiresInMinutes":null}', true, undefined],
    ['{"ProtectionEnabled":null}', undefined, undefined],
    // The last of two wins.
    ['{"ProtectionEnabled":true,"protectionenabled":false}', false, undefined],
    ['{"ProtectionEnabled":true,"ProtectionEnabled":null}', undefined, undefined],
    ['{"ExpiresInMinutes":5,"ExpiresInMinutes":null}', undefined, undefined],
    ['{"ExpiresInMinutes":-0}', undefined, 0n],
    ['{"ExpiresInMinutes":-5}', undefined, -5n],
    ['{"ExpiresInMinutes":9223372036854775807}', undefined, 9223372036854775807n],
    ['{"ExpiresInMinutes":-9223372036854775808}', undefined, -9223372036854775808n],
    // What follows the first value is not looked at.
    ['{"ProtectionEnabled":true}{"X":1}', true, undefined],
    ['{"ProtectionEnabled":true}}', true, undefined],
    ['{"ProtectionEnabled":true}\u0000', true, undefined],
    ["null", undefined, undefined],
    ["nullx", undefined, undefined],
    ["{}", undefined, undefined],
    [" { } x", undefined, undefined],
  ] as const) {
    test(JSON.stringify(body), () => expect(decodeProtection(body)).toEqual({ enabled, minutes }));
  }
});

describe("a body is refused with the reason", () => {
  for (const [body, reason] of [
    ["", "no JSON object"],
    ["   ", "no JSON object"],
    ["[]", "no JSON object"],
    ["true", "no JSON object"],
    ['"x"', "no JSON object"],
    ["\ufeff{}", "no JSON object"],
    ["\u00a0{}", "no JSON object"],
    ["nul", "no JSON object"],
    ["{", "no JSON behind"],
    ["{,}", "no JSON behind"],
    ['{"ProtectionEnabled":true,}', "no JSON behind"],
    ['{"Protection\nEnabled":true}', "no JSON behind"],
    ['{"\\x":true}', "no JSON behind"],
    ["{'ProtectionEnabled':true}", "no JSON behind"],
    ['{"ProtectionEnabled":true', "neither a comma nor a brace"],
    ['{"ProtectionEnabled":truex}', "neither a comma nor a brace"],
    ['{"ProtectionEnabled":"true"}', "neither true nor false"],
    ['{"ProtectionEnabled":1}', "neither true nor false"],
    ['{"ProtectionEnabled":{}}', "neither true nor false"],
    ['{"ProtectionEnabled":tru}', "neither true nor false"],
    ['{"ExpiresInMinutes":60.0}', "neither a comma nor a brace"],
    ['{"ExpiresInMinutes":1e2}', "neither a comma nor a brace"],
    ['{"ExpiresInMinutes":01}', "neither a comma nor a brace"],
    ['{"ExpiresInMinutes":"60"}', "no whole number"],
    ['{"ExpiresInMinutes":true}', "no whole number"],
    ['{"ExpiresInMinutes":-}', "no whole number"],
    ['{"ExpiresInMinutes":9223372036854775808}', "no whole number"],
    ['{"ExpiresInMinutes":-9223372036854775809}', "no whole number"],
    ['{"ExpiresInMinutes":5,"ExpiresInMinutes":"x"}', "no whole number"],
    ['{"X":1}', "'X' is not known"],
    ['{"X":null,"ProtectionEnabled":true}', "'X' is not known"],
    ['{"":true}', "'' is not known"],
    ['{"ProtectionEnabled ":true}', "not known"],
    ['{"Protect\u0131onEnabled":true}', "not known"],
    ['{"__proto__":true}', "not known"],
  ] as const) {
    test(JSON.stringify(body), () => expect(decodeProtection(body)).toContain(reason));
  }

  test("in little time, whatever its length", () => {
    const begunMs = performance.now();
    for (const body of [
      `{"${"a".repeat(60_000)}`,
      `{"${"\\".repeat(60_001)}`,
      `${" ".repeat(60_000)}x`,
      "{".repeat(60_000),
    ]) {
      expect(decodeProtection(body)).toBeString();
    }
    expect(decodeProtection(`{"ExpiresInMinutes":${"9".repeat(60_000)}}`)).toContain("no whole number");
    expect(performance.now() - begunMs).toBeLessThan(500);
  });
});

test("nothing that is sent makes it throw", () => {
  const token = fc.constantFrom(
    ...'{}[]:, \n\\"',
    "true",
    "null",
    "1",
    "-",
    '"ProtectionEnabled"',
    '"expiresinminutes"',
    "\\u00",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.array(token).map((tokens) => tokens.join("")),
  );
  fc.assert(
    fc.property(text, (body) => {
      const read = decodeProtection(body);
      if (typeof read !== "string") expect(Object.keys(read)).toEqual(["enabled", "minutes"]);
    }),
    { numRuns: 2_000 },
  );
});

test("what JSON.stringify writes of such a request is read back", () => {
  const minutes = fc.option(fc.integer(), { nil: undefined });
  fc.assert(
    fc.property(fc.option(fc.boolean(), { nil: undefined }), minutes, (enabled, count) => {
      const body = JSON.stringify({ ExpiresInMinutes: count, ProtectionEnabled: enabled });
      const expected = { enabled, minutes: count === undefined ? undefined : BigInt(count) };
      expect(decodeProtection(body)).toEqual(expected);
    }),
  );
});
