import { describe, expect, test } from "bun:test";
import { AppError, type ErrorCode } from "../../../src/errors.ts";
import { toResponse } from "../../../src/routes/http-error.ts";

const PATHS = {
  credentials: "/creds",
  v2: "/v2/metadata",
  v3: "/v3/task",
  v3stats: "/v3/containers/web/stats",
  v4: "/v4/web",
};
describe("a failure's bytes", () => {
  for (const [code, family, status, name] of [
    ["forbidden", "credentials", 403, "Forbidden"],
    ["forbidden", "v2", 403, ""],
    ["method-not-allowed", "credentials", 405, "MethodNotAllowed"],
    ["method-not-allowed", "v4", 405, ""],
    ["no-identity", "credentials", 400, "NoCredentials"],
    ["role-refused", "credentials", 403, "AccessDenied"],
    ["upstream-unavailable", "credentials", 503, "UpstreamUnavailable"],
    ["engine-unavailable", "v3", 503, ""],
    // An unknown id or caller has each version's own status (task-endpoints 1.3).
    ["caller-unknown", "credentials", 400, "UnknownCaller"],
    ["caller-unknown", "v2", 400, ""],
    ["caller-unknown", "v3", 500, ""],
    ["caller-unknown", "v3stats", 400, ""],
    ["caller-unknown", "v4", 404, ""],
    ["container-ambiguous", "v4", 404, ""],
    ["container-not-running", "v3stats", 400, ""],
  ] as const satisfies readonly (readonly [ErrorCode, keyof typeof PATHS, number, string])[]) {
    test(`${code} in ${family} are of ${status}`, async () => {
      const error = new AppError(code, 'It\'s "bad"', { hint: "mend\nit", cause: new Error("secret") });
      const response = toResponse(error, PATHS[family]);
      const text = '"It\'s \\"bad\\"; mend\\nit"';
      const object = `{"code":"${name}","message":${text},"HTTPErrorCode":${status},"Code":"${name}","Message":${text}}`;
      expect(await response.text()).toBe(family === "credentials" ? object : text);
      expect([response.status, response.headers.get("content-type")]).toEqual([status, "application/json"]);
      expect(response.headers.get("allow")).toBe(status === 405 ? "GET, HEAD" : null);
    });
  }
});

describe("an unknown container's status and form are those of the path's family", () => {
  const error = new AppError("container-unknown", "none");
  for (const [path, status, isText] of [
    ["/v2/stats/x", 400, true],
    ["/v2/metadata/x/", 400, true],
    ["/v3", 500, true],
    ["/v3/", 500, true],
    ["/v3/x/task", 500, true],
    ["/v3/stats", 400, true],
    ["/v3/stats/", 400, true],
    ["/v3/task/stats", 400, true],
    ["/v3/x/task/stats/", 400, true],
    ["/v3/statsx", 500, true],
    ["/v4", 404, true],
    ["/v4/x/stats", 404, true],
    ["/v2/credentials", 400, false],
    ["/v2/credentials/x", 400, false],
    ["/v20/x", 400, false],
    ["/v5/x", 400, false],
    ["/role/v3", 400, false],
    ["/x/v3/task", 400, false],
    ["/", 400, false],
    ["", 400, false],
  ] as const) {
    test(`${path || "none"}: ${status}, ${isText ? "a string" : "an object"}`, async () => {
      const response = toResponse(error, path);
      expect(response.status).toBe(status);
      expect(typeof (await response.json())).toBe(isText ? "string" : "object");
    });
  }
});

describe("an unexpected failure shows no details", () => {
  const text = "Internal server error; the log of ecs-local-endpoints has the cause";
  for (const thrown of [
    new Error("secret"),
    "secret",
    { publicMessage: "secret", code: "forbidden" },
    undefined,
    null,
  ]) {
    test(`${thrown}`, async () => {
      const metadata = toResponse(thrown, "/v3/task");
      expect([metadata.status, await metadata.text()]).toEqual([500, `"${text}"`]);
      const credentials = toResponse(thrown, "/creds");
      expect([credentials.status, await credentials.text()]).toEqual([
        500,
        `{"code":"InternalServerError","message":"${text}","HTTPErrorCode":500,"Code":"InternalServerError","Message":"${text}"}`,
      ]);
    });
  }
  test("in any version", () => {
    for (const path of Object.values(PATHS)) expect(toResponse(new Error("secret"), path).status).toBe(500);
  });
});
