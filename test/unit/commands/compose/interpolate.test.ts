// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are what Compose reads, not templates
import { describe, expect, test } from "bun:test";
import { interpolate, interpolateAll } from "../../../../src/commands/compose/interpolate.ts";

const ENV = { NAME: "shop", EMPTY: "", PORT: "80" };

describe("a text with variables is what Compose makes of it", () => {
  for (const [text, result] of [
    ["$NAME-${PORT}", "shop-80"],
    ["$$NAME $", "$NAME $"],
    ["$1", "$1"],
    ["${NONE}|$NONE", "|"],
    ["${NONE:-a}${NONE-b}", "ab"],
    ["${EMPTY:-a}${EMPTY-b}", "a"],
    ["${NAME:-a}${NAME-b}", "shopshop"],
    ["${NAME:+a}${NAME+b}", "ab"],
    ["${EMPTY:+a}${EMPTY+b}${NONE+c}", "b"],
    ["${NONE:-${EMPTY:-${NAME}-x}}", "shop-x"],
    ["${NONE:-a}b}", "ab}"],
    ["${NONE:-{a}-${NONE:-{b}}}", "{a}-{b}"],
    ["${NAME:?not read}${EMPTY?not read}", "shop"],
  ] as const) {
    test(text, () => expect(interpolate(text, ENV, "w")).toBe(result));
  }
});

test("a variable that the project needs is an error with its name and place", () => {
  expect(() => interpolate("${NONE:?set it}", ENV, "w")).toThrow("w needs the variable NONE");
  expect(() => interpolate("${EMPTY:?set it}", ENV, "w")).toThrow("needs the variable EMPTY");
  expect(() => interpolate("${NONE?}", ENV, "w")).toThrow("needs the variable NONE");
});

test("a brace that is not closed is an error", () => {
  expect(() => interpolate("a ${NAME", ENV, "w")).toThrow("w has a ${ without its }");
});

test("values are replaced at every depth, keys and what is no text are not", () => {
  const document = { $NAME: [{ a: "$NAME", b: 1, c: null }], d: true };
  expect(interpolateAll(document, ENV, "f")).toEqual({ $NAME: [{ a: "shop", b: 1, c: null }], d: true });
});
