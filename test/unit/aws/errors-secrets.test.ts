import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { toAppError, withoutSecrets } from "../../../src/aws/errors.ts";

const letters = (alphabet: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS = "0123456789";
const BASE64 = `${UPPER}${UPPER.toLowerCase()}${DIGITS}+/`;

const accessKeyId = fc
  .tuple(fc.constantFrom("AKIA", "ASIA"), letters(`${UPPER}234567`, 16, 16))
  .map(([kind, rest]) => kind + rest);
// One of forty small letters and nothing else comes once in 10^22.
const random = (minLength: number, maxLength: number) =>
  letters(BASE64, minLength, maxLength).filter((text) => /[A-Z]/.test(text) && /[a-z]/.test(text));
const secretAccessKey = random(40, 40);
const sessionToken = random(100, 400).map((text) => `IQoJb3JpZ2lu${text}==`);
const webToken = fc
  .tuple(random(4, 30), random(4, 200), random(4, 86))
  .map((parts) => `eyJ${parts.map((part) => part.replace(/[+/]/g, "_")).join(".")}`);
const secret = fc.oneof(accessKeyId, secretAccessKey, sessionToken, webToken, sessionToken.map(encodeURIComponent));
const around = fc.constantFrom(
  "",
  " ",
  "'",
  '"',
  "=",
  ": ",
  "(",
  ")",
  ", ",
  "x-amz-security-token:",
  "key is ",
  "\n",
  "?t=",
);

describe("a key, a secret or a token in what AWS says is never in an error", () => {
  const said = fc.tuple(around, secret, around, secret, around).map((parts) => ({
    text: parts.join(""),
    secrets: [parts[1], parts[3]],
  }));
  const holds = (text: string, secrets: readonly string[]) =>
    secrets.some((one) => text.includes(one) || text.includes(one.slice(0, 20)));

  test("whatever it stands beside", () => {
    fc.assert(
      fc.property(said, ({ text, secrets }) => !holds(withoutSecrets(text), secrets)),
      { numRuns: 2000 },
    );
  });
  for (const name of [
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "AccessDenied",
    "ValidationError",
    "Throttling",
    "RequestTimeTooSkewed",
    "InternalFailure",
    "TypeError",
  ]) {
    test(`of ${name}`, () => {
      const property = fc.property(said, fc.boolean(), ({ text, secrets }, role) => {
        const error = Object.assign(new Error(text), { name, $metadata: { httpStatusCode: 400 } });
        return !holds(toAppError(error, { action: "a", role, remedy: "r" }).sentence, secrets);
      });
      fc.assert(property, { numRuns: 300 });
    });
  }
});

describe("what is not a secret stays", () => {
  for (const text of [
    "User: arn:aws:iam::111122223333:user/dev is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/team/app",
    "The security token included in the request is invalid.",
    "a-rather-long-name-of-a-role-in-small-letters-only",
  ]) {
    test(text.slice(0, 40), () => expect(withoutSecrets(text)).toBe(text));
  }
});
