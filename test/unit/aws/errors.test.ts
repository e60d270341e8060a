import { describe, expect, test } from "bun:test";
import { toAppError, withoutSecrets } from "../../../src/aws/errors.ts";
import { profileFailure } from "../../../src/aws/profile-failure.ts";

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
  ] as const) {
    test(`${error.name} is ${code}`, () => {
      expect(toAppError(error, { action: "sts:AssumeRole", role: true, remedy: "r" }).code).toBe(code);
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
  const process = profileFailure(new Error("Command failed: get --password hunter2\nnot logged in"), "dev", "r");
  expect(process.sentence).toBe("profile 'dev': its credential_process failed (not logged in); r");
});

test("a credential_process without a shell is told from one that is missing", () => {
  const noShell = profileFailure(new Error("ENOENT: no such file or directory, posix_spawn '/bin/sh'"), "dev", "r");
  expect(noShell.sentence).toContain("needs /bin/sh, which is not here; run the server outside of its image, or");
  const missing = profileFailure(new Error("Command failed: helper\n/bin/sh: 1: helper: not found"), "dev", "r");
  expect(missing.sentence).toBe("profile 'dev': its credential_process failed (/bin/sh: 1: helper: not found); r");
});
