import { describe, expect, test } from "bun:test";
import { isObject, parseWithDigits, toCounter } from "../../../src/engine/stats-sample.ts";

describe("numbers are written as they were read", () => {
  for (const digits of ["18446744073709551615", "9007199254740993", "1.50", "-0", "0.1e+400", "1E5", "0"]) {
    test(digits, () => {
      const text = `{"a":${digits},"b":[${digits}],"c":"${digits}"}`;
      expect(JSON.stringify(parseWithDigits(text))).toBe(text);
    });
  }
});

describe("a counter", () => {
  for (const [digits, expected] of [
    ["18446744073709551615", 18_446_744_073_709_551_615n],
    ["0", 0n],
    ["-1", undefined],
    ["1.5", undefined],
    ["1e3", undefined],
    ['"1"', undefined],
    ["null", undefined],
    ["{}", undefined],
  ] as const) {
    test(`${digits} is ${expected}`, () => {
      expect(toCounter(parseWithDigits(digits))).toBe(expected);
    });
  }
});

test("an object is neither a list, nor a number, nor nothing", () => {
  const all = parseWithDigits('[{},{"rawJSON":"1"},[],1,"x",null,true]') as unknown[];
  expect(all.map(isObject)).toEqual([true, true, false, false, false, false, false]);
});

test("what is not JSON is an error", () => {
  expect(() => parseWithDigits('{"half":')).toThrow(SyntaxError);
});
