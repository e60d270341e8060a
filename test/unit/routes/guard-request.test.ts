import { describe, expect, test } from "bun:test";
import { createGuard } from "../../../src/routes/guard.ts";
import { pathOf } from "../../../src/routes/path.ts";

const guard = createGuard({ allowedHosts: [] });
const refusal = (code: string, message: string) => expect.objectContaining({ code, message }) as Error;

/** What the guard reads of a request, as it came: `Request` mends a path. */
function ask(url: string, method = "GET", headers: Record<string, string> = { host: "localhost" }): () => void {
  const request = { url, method, headers: new Headers(headers) };
  return () => guard.checkRequest(request as Request, pathOf(url));
}

describe("a method", () => {
  for (const method of ["GET", "HEAD"]) {
    test(`${method} is allowed`, () => expect(ask("http://h/creds", method)).not.toThrow());
  }
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", ""]) {
    test(`${method || "without a name"} is refused`, () => {
      expect(ask("http://h/creds", method)).toThrow(refusal("method-not-allowed", `${method} is not allowed here`));
    });
  }
});

describe("a path", () => {
  /** A path of so many bytes, the slash at its beginning included. */
  const long = (bytes: number, filling = "x") => `/v3/${filling.repeat((bytes - 4) / filling.length)}`;
  const tooLong = (bytes: number) => refusal("bad-path", `The path has ${bytes} bytes, more than 2048`);

  test("of 2048 bytes is taken, and of one more refused", () => {
    expect(ask(`http://h${long(2048)}`)).not.toThrow();
    expect(ask(`http://h${long(2049)}`)).toThrow(tooLong(2049));
  });
  test("is measured without what stands before it", () => {
    expect(ask(`http://${"h".repeat(200)}:51679${long(2048)}`)).not.toThrow();
  });
  test("is measured where nothing stands before it, as in HTTP/1.0 without a Host", () => {
    expect(ask(long(2048))).not.toThrow();
    expect(ask(long(2049))).toThrow(tooLong(2049));
  });
  test("with a double slash is measured from its beginning", () => {
    expect(ask(`http://h//${"x".repeat(2046)}`)).not.toThrow();
    expect(ask(`http://h//${"x".repeat(2047)}`)).toThrow(tooLong(2049));
  });
  test("is measured as it is encoded", () => {
    const encode = (count: number) => new Request(`http://h/v3/${"é".repeat(count)}`).url;
    expect(ask(encode(340))).not.toThrow();
    expect(ask(encode(341))).toThrow(tooLong(2050));
  });

  for (const path of [
    "/",
    "/v3/a%20b",
    "/v3/%C3%A9",
    "/role/a%2Fb",
    "/v3/%F0%9F%98%80",
    "/role-arn/arn%3Aaws",
    "/%2525",
  ]) {
    test(`${path} is taken`, () => expect(ask(`http://h${path}`)).not.toThrow());
  }
  for (const path of [
    "/v3/%",
    "/v3/%2",
    "/v3/%zz",
    "/v3/%ff",
    "/v3/%C3",
    "/v3/%C3%28",
    "/%E0%80%80",
    "/%ED%A0%80",
    "/%u0041",
  ]) {
    test(`${path} cannot be decoded`, () => {
      const message = "The path cannot be decoded: a % in it is not followed by two digits of UTF-8";
      expect(ask(`http://h${path}`)).toThrow(refusal("bad-path", message));
    });
  }
  test("is measured and decoded without its query, which nothing here reads", () => {
    expect(ask(`http://h${long(2048)}?x=%zz`)).not.toThrow();
    expect(ask(`http://h${long(2049)}?x`)).toThrow(tooLong(2049));
  });
  test("is all that is decoded: a zone in the address before it is not", () => {
    expect(ask("http://[fe80::1%eth0]/v3")).not.toThrow();
  });
});

test("the method comes before the path, and the path before the headers", () => {
  const foreign = { host: "evil.com", origin: "null" };
  expect(ask("http://h/%", "POST", foreign)).toThrow("POST");
  expect(ask("http://h/%", "GET", foreign)).toThrow("decoded");
  expect(ask("http://h/", "GET", foreign)).toThrow("evil.com");
});
