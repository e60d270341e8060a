import { describe, expect, test } from "bun:test";
import { markOwn, OWN_MARK } from "../../src/own-request.ts";
import { createGuard } from "../../src/routes/guard.ts";

describe("a URL that is ours", () => {
  for (const url of ["http://127.0.0.1/creds", "http://127.0.0.1:80/creds?a=b&c=d", "https://h/x?"]) {
    test(`is known again, and keeps what it asked for: ${url}`, () => {
      const marked = markOwn(new URL(url));
      expect(marked.href.endsWith(OWN_MARK)).toBe(true);
      expect(url.endsWith(OWN_MARK)).toBe(false);
      expect(marked.pathname).toBe(new URL(url).pathname);
      expect(marked.searchParams.get("a")).toBe(new URL(url).searchParams.get("a"));
    });
  }
});

test("the guard refuses it before anything else, and says why", () => {
  const guard = createGuard({ allowedHosts: [] });
  const { href } = markOwn(new URL("http://evil.example/creds"));
  const request = new Request(href, { headers: { host: "evil.example", origin: "null" } });
  expect(() => guard.checkRequest(request, "/creds")).toThrow(
    expect.objectContaining({
      code: "own-request",
      publicMessage: "the server was pointed at itself for its own credentials",
      hint: expect.stringMatching(
        /^unset AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI/,
      ),
    }),
  );
});
