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
/** An id or a caller that is not known has each version's own status (task-endpoints 1.3). */
const unknown = (name: string) => ({ name, credentials: 400, v2: 400, v3: 500, v3stats: 400, v4: 404 });
const same = (name: string, status: number) => ({
  name,
  credentials: status,
  v2: status,
  v3: status,
  v3stats: status,
  v4: status,
});

const EXPECTED: Record<ErrorCode, { name: string; [family: string]: number | string }> = {
  "unknown-route": same("NotFound", 404),
  "method-not-allowed": same("MethodNotAllowed", 405),
  "bad-path": same("InvalidPath", 400),
  "bad-role": same("InvalidRole", 400),
  forbidden: same("Forbidden", 403),
  unauthorized: same("Unauthorized", 401),
  "role-not-allowed": same("RoleNotAllowed", 403),
  "no-task-role": same("NoTaskRole", 400),
  "own-request": same("AskedItself", 403),
  "bad-request": same("InvalidRequest", 400),
  "caller-unknown": unknown("UnknownCaller"),
  "container-unknown": unknown("UnknownContainer"),
  "container-ambiguous": unknown("AmbiguousContainer"),
  "container-not-running": { name: "ContainerNotRunning", v2: 400, v3stats: 400 },
  "engine-unavailable": same("EngineUnavailable", 503),
  "engine-refused": same("EngineRefused", 503),
  "engine-bad-answer": same("EngineBadAnswer", 503),
  "no-identity": same("NoCredentials", 400),
  "identity-failed": same("IdentityFailed", 400),
  "role-refused": same("AccessDenied", 403),
  "clock-skew": same("ClockSkew", 400),
  "no-such-role": same("NoSuchRole", 400),
  "certificate-untrusted": same("UntrustedCertificate", 503),
  "proxy-refused": same("ProxyRefused", 503),
  "upstream-throttled": same("Throttled", 503),
  "upstream-refused": same("UpstreamRefused", 400),
  "upstream-unavailable": same("UpstreamUnavailable", 503),
  "bad-configuration": same("BadConfiguration", 503),
  "cannot-listen": same("CannotListen", 500),
  "network-failed": same("NetworkFailed", 500),
  "command-failed": same("CommandFailed", 500),
};

describe("a failure's bytes", () => {
  for (const [code, { name, ...statuses }] of Object.entries(EXPECTED)) {
    for (const [family, status] of Object.entries(statuses)) {
      test(`${code} in ${family} are of ${status}`, async () => {
        const error = new AppError(code as ErrorCode, 'It\'s "bad"', { hint: "mend\nit", cause: new Error("secret") });
        const response = toResponse(error, PATHS[family as keyof typeof PATHS]);
        const text = '"It\'s \\"bad\\"; mend\\nit"';
        const object = `{"code":"${name}","message":${text},"HTTPErrorCode":${status},"Code":"${name}","Message":${text}}`;
        expect(await response.text()).toBe(family === "credentials" ? object : text);
        expect([response.status, response.headers.get("content-type")]).toEqual([Number(status), "application/json"]);
        expect(response.headers.get("allow")).toBe(status === 405 ? "GET, HEAD" : null);
      });
    }
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
