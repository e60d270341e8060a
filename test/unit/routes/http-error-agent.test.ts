import { describe, expect, test } from "bun:test";
import { AppError, type ErrorCode } from "../../../src/errors.ts";
import { toResponse } from "../../../src/routes/http-error.ts";

const STATE = "/api/web/task-protection/v1/state";
const FAULT = "/api/web/fault/v1/network-latency/start";
const LOST = "Failed to find a task for the request: ";

describe("a failure of task protection and of a fault", () => {
  for (const [code, status, name, prefix, faultPrefix] of [
    ["bad-request", 400, "InvalidParameterException", "", ""],
    ["bad-path", 400, "InvalidParameterException", "", ""],
    ["forbidden", 403, "AccessDeniedException", "", ""],
    ["own-request", 403, "AccessDeniedException", "", ""],
    ["unknown-route", 404, "ResourceNotFoundException", "", ""],
    ["caller-unknown", 404, "ResourceNotFoundException", LOST, "unable to lookup container: "],
    ["container-unknown", 404, "ResourceNotFoundException", LOST, "unable to lookup container: "],
    ["container-ambiguous", 404, "ResourceNotFoundException", LOST, "unable to lookup container: "],
    ["engine-unavailable", 500, "ServerException", LOST, "failed to get task metadata: "],
    ["engine-refused", 500, "ServerException", LOST, "failed to get task metadata: "],
  ] as const satisfies readonly (readonly [ErrorCode, ...unknown[]])[]) {
    test(`${code} is ${status} ${name}`, async () => {
      const error = new AppError(code, "why", { hint: "mend it", cause: "secret" });
      const protection = toResponse(error, STATE);
      expect(await protection.text()).toBe(`{"error":{"Code":"${name}","Message":"${prefix}why; mend it"}}`);
      const fault = toResponse(error, FAULT);
      expect(await fault.text()).toBe(`{"Error":"${faultPrefix}why; mend it"}`);
      for (const response of [protection, fault]) {
        expect([response.status, response.headers.get("content-type")]).toEqual([status, "application/json"]);
      }
    });
  }

  test("names the task where one was found, first", async () => {
    const response = toResponse(new AppError("bad-request", "why", { taskArn: "arn" }), STATE);
    expect(await response.text()).toBe('{"error":{"Arn":"arn","Code":"InvalidParameterException","Message":"why"}}');
  });

  test("that is a method which is not allowed has no body, and says which are", async () => {
    for (const [path, allow] of [
      [STATE, "GET, PUT"],
      [FAULT, "POST"],
      ["/api/x", "GET, HEAD"],
    ] as const) {
      const response = toResponse(new AppError("method-not-allowed", "why"), path);
      expect([response.status, response.headers.get("allow"), await response.text()]).toEqual([405, allow, ""]);
    }
  });

  test("that is unexpected shows no details", async () => {
    const text = "Internal server error; the log of ecs-local-endpoints has the cause";
    const protection = toResponse(new Error("secret"), STATE);
    expect([protection.status, await protection.text()]).toEqual([
      500,
      `{"error":{"Code":"ServerException","Message":"${text}"}}`,
    ]);
    expect(await toResponse(new Error("secret"), FAULT).text()).toBe(`{"Error":"${text}"}`);
  });
});

test("a failure of introspection is the agent's task of nothing, with the reason", async () => {
  for (const [code, status] of [
    ["container-unknown", 404],
    ["container-ambiguous", 400],
    ["bad-request", 400],
    ["forbidden", 403],
    ["engine-unavailable", 503],
  ] as const) {
    const response = toResponse(new AppError(code, "why"), "/v1/tasks");
    expect([response.status, await response.text()]).toEqual([
      status,
      '{"Arn":"","KnownStatus":"","Family":"","Version":"","Containers":null,"Message":"why"}',
    ]);
  }
});

test("an unknown container's associations are 400 in each version", () => {
  for (const path of ["/v3/x/associations/gpu", "/v4/x/associations/gpu/y"]) {
    expect(toResponse(new AppError("container-unknown", "why"), path).status).toBe(400);
  }
});
