import { afterAll, expect, test } from "bun:test";
import { readVariables } from "../../../../src/commands/compose/dotenv.ts";
import { findFiles } from "../../../../src/commands/compose/find-files.ts";
import { AppError } from "../../../../src/errors.ts";
import { folder } from "../../../support/folder.ts";
import { secret } from "../../../support/secrets.ts";

const files = folder("cmp-dotenv");
afterAll(() => files.remove());
const read = (text: string, env = {}) => readVariables(files.write("vars.env", text), env);

// As Docker Compose 2.40.3 has them; what is no assignment it refuses.
for (const [what, text, variables] of [
  ["a double quote over lines", 'A="one\nB=two\nx" C=c', { A: "one\nB=two\nx", C: "c" }],
  ["a single quote over lines", "A='one\nB=two'\nC=c", { A: "one\nB=two", C: "c" }],
  ["quotes in quotes", "A='it\\'s $N \\n'\nB=\"a\\\"b\"", { A: "it's $N \\n", B: 'a"b' }],
  ["escapes", 'E="a\\\\n\\$x\\ny\\qz$N"', { E: "a\\n$x\ny\\qzn" }],
  ["comments", '# B=b\nA=a #b\nC=a\t#t\nD= #x\nE="x"# c', { A: "a", C: "a\t#t", D: "#x", E: "x" }],
  ["other forms", "export A: yaml\r\n\n  B =b\nC=", { A: "yaml", B: "b", C: "" }],
  ["no assignment", "a b\n=c\n1=d\nA=a", { A: "a" }],
] as const) {
  test(`${what} in an env file`, () => {
    expect<Record<string, string>>(read(text, { N: "n" })).toEqual(variables);
  });
}

test("a quoted value of .env does not choose the project's files", () => {
  files.write("compose.yaml", "services: { a: { image: x } }");
  files.write("evil.yaml", "services: { b: { image: x } }");
  files.write(".env", 'K="line1\nCOMPOSE_FILE=evil.yaml\n"\n');
  const { paths } = findFiles([], files.path, undefined, {}, undefined);
  expect(paths).toEqual([`${files.path}/compose.yaml`]);
});

test("a quote without its end is an error that names the variable alone", () => {
  const value = secret("Zq3vXk9rT8");
  for (const quote of ["'", '"']) {
    try {
      read(`A=a\nB=${quote}${value}\\${quote}\nC=c`);
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      expect(error.sentence).toEndWith("/vars.env: B has a quote without its end");
      expect(error.sentence).not.toContain(value);
    }
  }
});

test("a line is read once, whatever it is full of", () => {
  const many = 60_000;
  for (const text of [
    `A=a${" ".repeat(many)}b`,
    `A="${" ".repeat(many)}b"`,
    `${" ".repeat(many)}b c`,
    `A=a${" #".repeat(many)}\u2028b`,
    `A ${" ".repeat(many)}b`,
    "export ".repeat(many),
    "\n".repeat(many),
  ]) {
    const begun = performance.now();
    read(text);
    expect(performance.now() - begun).toBeLessThan(1_000);
  }
});
