import { describe, expect, test } from "bun:test";
import { pathOf } from "../../../src/routes/path.ts";

describe("the path of a URL", () => {
  for (const [url, path] of [
    ["http://h/creds", "/creds"],
    ["http://h:80/", "/"],
    ["http://[::1]:51679/v3/x", "/v3/x"],
    ["http://h/v3?a=/b", "/v3"],
    ["http://h/v3?a?b", "/v3"],
    ["http://h//v3", "//v3"],
    ["http://h/role/a%2Fb%3Fc", "/role/a%2Fb%3Fc"],
    ["http://h/role-arn/http://x", "/role-arn/http://x"],
    ["/creds", "/creds"],
    ["/creds?a=b", "/creds"],
    ["/", "/"],
    ["//x", "//x"],
    ["/role/http://x", "/role/http://x"],
  ] as const) {
    test(`${url} is ${path}`, () => expect(pathOf(url)).toBe(path));
  }
});
