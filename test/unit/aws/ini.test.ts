import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseIni, type Sections, sdkName, toConfigText } from "../../../src/aws/ini.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (text: string | Uint8Array, kind: "config" | "credentials" = "config") =>
  parseIni(typeof text === "string" ? bytes(text) : text, "/home/me/.aws/config", kind);
const plain = (sections: Sections) => JSON.parse(JSON.stringify(Object.fromEntries(sections)));

// As botocore 1.43 reads it, unless it says otherwise.
describe("a config file", () => {
  for (const [title, text, expected] of [
    ["a comment behind a header", "[default]\na = 1\n[prod]#careful\na = 2\n", { default: { a: "1" } }],
    ["a comment with brackets (Go)", "[profile x] # see [y]\na = 1\n", { x: { a: "1" } }],
    ["a name in quotes", "[profile 'my dev']\na = 1\n", { "my dev": { a: "1" } }],
    ["a name with a space (Go)", "[profile my dev]\na = 1\n", { "my dev": { a: "1" } }],
    ["a name with brackets", "[profile my[1]]\na = 1\n", { "my[1]": { a: "1" } }],
    ["a name with an umlaut", "[profile müller]\na = 1\n", { müller: { a: "1" } }],
    ["a padded header (Go)", "[  profile   x  ]\na = 1\n", { x: { a: "1" } }],
    ["an SSO session", "[sso-session 'My Corp Ltd']\na = 1\n", { "sso-session.My Corp Ltd": { a: "1" } }],
    [
      "services",
      "[services 'x']\nsts =\n  endpoint_url = http://a:1\n",
      { "services.x": { sts: "", "sts.endpoint_url": "http://a:1" } },
    ],
    [
      "keys in any case",
      "[default]\nAWS_ACCESS_KEY_ID = A\nExternal_ID=e\n",
      { default: { aws_access_key_id: "A", external_id: "e" } },
    ],
    ["key: value", "[default]\nrole_arn: arn:aws:iam::1:role/x\n", { default: { role_arn: "arn:aws:iam::1:role/x" } }],
    ["a comment behind a value (Go)", "[default]\na = x # c\nb = x#c\n", { default: { a: "x", b: "x#c" } }],
    ["all lines indented", "[default]\n  a = 1\n  b = 2\n", { default: { a: "1", b: "2" } }],
    ["a value of two lines", "[default]\na = x\n  y\nb = 1\n", { default: { a: "x\ny", b: "1" } }],
    [
      "a section twice (Go)",
      "[default]\na = 1\n[profile x]\nb = 1\n[default]\nc = 1\n",
      { default: { a: "1", c: "1" }, x: { b: "1" } },
    ],
    ["both defaults", "[default]\na = 1\n[profile default]\nb = 1\n[default]\nc = 1\n", { default: { b: "1" } }],
    ["a section without a kind", "[x]\na = 1\n[default]\nb = 1\n", { default: { b: "1" } }],
    ["a section called like an object's property", "[profile __proto__]\na = 1\n", { ["__proto__"]: { a: "1" } }],
    ["CRLF, comments and empty lines", "; c\r\n[default]\r\n\r\n# c\r\na = 1\r\n", { default: { a: "1" } }],
  ] as const) {
    test(title, () => expect(Object.entries(plain(read(text)))).toEqual(Object.entries(expected)));
  }

  test("in UTF-16 or with a byte order mark", () => {
    const text = "[default]\na = é\n";
    const big = Buffer.from(`\ufeff${text}`, "utf16le").swap16();
    for (const file of [bytes(`\ufeff${text}`), Buffer.from(`\ufeff${text}`, "utf16le"), big]) {
      expect(plain(read(file))).toEqual({ default: { a: "é" } });
    }
  });

  for (const [title, text, line] of [
    ["a key before any section", "a = 1\n[default]\n", "line 1 is a key before the first section"],
    ["a header without an end", "[default\na = 1\n", "line 1 is not a section"],
    ["a header with words behind it", "[default] x\n", "line 1 is not a section"],
    ["an empty header", "[]\n", "line 1 is not a section"],
    ["a line without a value", "[default]\na = 1\nhunter2\n", "line 3 is neither a section nor key = value"],
    ["an indented header", "[default]\na = 1\n  [profile x]\nb = 2\n", "line 3 is an indented section"],
  ] as const) {
    test(`${title} is an error with the line, and none of its text`, () => {
      expect(() => read(text)).toThrow(`the AWS file /home/me/.aws/config cannot be read: ${line}`);
      expect(() => read(text)).not.toThrow("hunter2");
    });
  }
  test("in another encoding is an error", () => {
    expect(() => read(Buffer.from("[default]\na = é\n", "latin1"))).toThrow("is neither UTF-8 nor UTF-16");
  });
});

test("in a credentials file every section is a profile", () => {
  const text = "[my dev]\na = 1\n[profile x]\na = 2\n[ padded ]#c\na = 3\n";
  expect(plain(read(text, "credentials"))).toEqual({
    "my dev": { a: "1" },
    "profile x": { a: "2" },
    padded: { a: "3" },
  });
});

const name = fc.stringMatching(/^[a-zA-Z0-9äöü._[\]-]{1,8}( [a-z[\]]{1,4})?$/);
const line = fc.oneof(
  fc.constantFrom("", "# c", "  ; c", "[", "[]", "  x", "a", "= 1", "s3 =", "  max = 1"),
  fc
    .tuple(fc.constantFrom("a", "B", "region"), fc.constantFrom("=", " = ", ":", ": "), fc.string({ maxLength: 6 }))
    .map((parts) => parts.join("")),
);

test("a value is never another section's, whatever stands around it", () => {
  const section = fc.tuple(name, fc.constantFrom("", " ", "#c", " # [x]"), fc.array(line, { maxLength: 4 }));
  fc.assert(
    fc.property(fc.array(section, { minLength: 1, maxLength: 5 }), (sections) => {
      const text = sections.map(([id, behind, lines], index) =>
        [`[profile ${id}]${behind}`, `own = ${index}`, ...lines].join("\n"),
      );
      let parsed: Sections;
      try {
        parsed = read(`${text.join("\n")}\n`);
      } catch (error) {
        expect((error as Error).message).toMatch(/cannot be read: line \d+ is /);
        return;
      }
      for (const [index, [id]] of sections.entries()) {
        if (sections.filter(([other]) => other === id).length > 1) continue;
        expect(parsed.get(id)?.own?.split("\n")[0]).toBe(`${index}`);
      }
    }),
    { numRuns: 500 },
  );
});

test("the SDK gets names that it can read, and the same sections", () => {
  const text =
    "[default]\nregion = r\ns3 =\n  max = 1\n[sso-session 'My Corp']\na = 1\n[profile my dev]\nsso_session = My Corp\n";
  const corp = sdkName("My Corp");
  expect(toConfigText(read(text))).toBe(
    `[default]\nregion = r\ns3 =\n  max = 1\n[sso-session ${corp}]\na = 1\n[profile ${sdkName("my dev")}]\nsso_session = ${corp}\n`,
  );
  expect([sdkName("dev"), corp]).toEqual(["dev", "ecs-local.4d7920436f7270"]);
});
