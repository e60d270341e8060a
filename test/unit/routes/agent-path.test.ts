import { describe, expect, test } from "bun:test";
import { checkMethod, methodsOf } from "../../../src/routes/guard/request.ts";
import { readAgentPath } from "../../../src/routes/path.ts";

const STATE = "task-protection/v1/state";

describe("a path of the agent's, with and without a slash at its end, asks for", () => {
  for (const [path, kind, identifier] of [
    [`/api/${STATE}`, "protection", undefined],
    [`/api/web/${STATE}`, "protection", "web"],
    [`/api/containers/web/${STATE}`, "protection", "web"],
    [`/api//web//${STATE}`, "protection", "web"],
    [`/api/a%2Fb/${STATE}`, "protection", "a%2Fb"],
    [`/api/containers/containers/${STATE}`, "protection", "containers"],
    [`/api/task-protection/${STATE}`, "protection", "task-protection"],
    // It is for the guard to refuse.
    [`/api/%zz/${STATE}`, "protection", "%zz"],
    ["/api/fault/v1/network-latency/start", "fault", undefined],
    ["/api/web/fault/v1/network-packet-loss/stop", "fault", "web"],
    ["/api/containers/web/fault/v1/network-blackhole-port/status", "fault", "web"],
  ] as const) {
    test(path, () => {
      const asked = { kind, identifier };
      expect([readAgentPath(path), readAgentPath(`${path}/`)]).toEqual([asked, asked]);
    });
  }
});

describe("a path that is none of the agent's", () => {
  for (const path of [
    "/",
    "/api",
    "/api/",
    "/api/web",
    `/api/containers/${STATE}`,
    `/api/a/b/${STATE}`,
    `/apix/${STATE}`,
    `/v4/${STATE}`,
    "/api/web/task-protection/v1",
    "/api/web/task-protection/v1/state/x",
    "/api/web/Task-Protection/v1/state",
    "/api/fault/v1/network-latency",
    "/api/fault/v1/network-latency/run",
    "/api/fault/v1/cpu/start",
    "/api/fault/v2/network-latency/start",
  ]) {
    test(path, () => {
      expect(readAgentPath(path)).toBeUndefined();
      expect([...methodsOf(path)]).toEqual(["GET", "HEAD"]);
    });
  }
});

describe("a method is refused with those that the path takes", () => {
  for (const [method, path, remedy] of [
    ["POST", `/api/${STATE}`, "use GET or PUT"],
    ["HEAD", `/api/web/${STATE}`, "use GET or PUT"],
    ["GET", "/api/fault/v1/network-latency/start", "use POST"],
    ["PUT", "/api/web/fault/v1/network-latency/start", "use POST"],
    ["PUT", "/v4/web", "use GET"],
    ["PUT", "/creds", "use GET"],
  ] as const) {
    test(`${method} ${path}`, () => {
      const check = () => checkMethod(new Request("http://h/", { method }), path);
      expect(check).toThrow(expect.objectContaining({ code: "method-not-allowed", hint: remedy }));
    });
  }

  test("and those pass", () => {
    checkMethod(new Request("http://h/", { method: "PUT" }), `/api/web/${STATE}/`);
    checkMethod(new Request("http://h/", { method: "POST" }), "/api/fault/v1/network-latency/status");
  });
});
