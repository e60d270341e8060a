import { describe, expect, test } from "bun:test";
import { toAppError, withoutSecrets } from "../../../src/aws/errors.ts";

const sdk = (name: string, status: number, message = "m", code?: string): Error =>
  Object.assign(new Error(message), { name, code, $metadata: { httpStatusCode: status } });

describe("SDK errors", () => {
  for (const [error, code] of [
    [sdk("InvalidClientTokenId", 403), "identity-failed"],
    [sdk("SignatureDoesNotMatch", 403), "identity-failed"],
    [sdk("ExpiredToken", 400), "identity-failed"],
    [sdk("AccessDenied", 403), "role-refused"],
    [sdk("Throttling", 400), "upstream-throttled"],
    [sdk("InternalFailure", 500), "upstream-unavailable"],
    [sdk("TimeoutError", 0), "upstream-unavailable"],
    [sdk("Error", 0, "m", "ECONNREFUSED"), "upstream-unavailable"],
    [sdk("Error", 0, "m", "ConnectionRefused"), "upstream-unavailable"],
    [sdk("Error", 0, "m", "ENOENT"), "upstream-refused"],
    [sdk("ValidationError", 400), "upstream-refused"],
    [sdk("SyntaxError", 0), "upstream-unavailable"],
  ] as const) {
    test(`${error.name} is ${code}`, () => {
      expect(toAppError(error, { action: "sts:AssumeRole", role: true, remedy: "r" }).code).toBe(code);
    });
  }
});

describe("what the SDK cannot read is not a refusal, and its text is not shown", () => {
  for (const status of [200, 204, 302, 399]) {
    test(`of status ${status}`, () => {
      const cut = sdk("Error", status, "@aws-sdk XML parse error: <SecretAccessKey>wJalr");
      const failure = toAppError(cut, { action: "sts:AssumeRole", role: true, identity: true, remedy: "r" });
      expect(failure.code).toBe("upstream-unavailable");
      expect(failure.publicMessage).toBe("sts:AssumeRole had an answer that cannot be read");
    });
  }
});

test("no secret gets into a message", () => {
  const secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12";
  expect(withoutSecrets(`key AKIAIOSFODNN7EXAMPLE secret ${secret}\nsecond`)).toBe("key AKIA… secret …");
  const failure = toAppError(sdk("SignatureDoesNotMatch", 403, `x-amz-security-token:${secret}`), {
    action: "a",
    remedy: "r",
  });
  expect(failure.sentence).toBe("a failed (SignatureDoesNotMatch); r");
});

test("a code is bounded, and no secret gets through it", () => {
  const attempt = { action: "a", remedy: "r" };
  const secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12";
  expect(toAppError(sdk(`${secret} b`, 400), attempt).publicMessage).toBe("a was refused (… b: m)");
  for (const status of [400, 500]) {
    expect(toAppError(sdk("a ".repeat(1_000_000), status), attempt).publicMessage.length).toBeLessThan(400);
  }
});

test("what Bun quotes of a text that is not JSON is not shown", () => {
  let message = "";
  try {
    JSON.parse("oneWord");
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message).toContain("oneWord");
  expect(withoutSecrets(`SyntaxError: ${message}`)).toBe("SyntaxError: no JSON");
});

test("a long text is read in no time, and is not cut in the middle of a secret", () => {
  const secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12";
  expect(withoutSecrets("eyJ".repeat(300_000))).toBe("…");
  for (let before = 4040; before < 4100; before += 1) {
    expect(withoutSecrets(`${"A1".repeat(before / 2)} ${secret} end`)).not.toContain("wJ");
  }
});
