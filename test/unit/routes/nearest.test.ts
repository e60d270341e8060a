import { describe, expect, test } from "bun:test";
import { nearestRoute } from "../../../src/routes/nearest.ts";

describe("the route nearest to a path that is none", () => {
  for (const [path, route] of [
    ["/cred", "/creds"],
    ["/Creds", "/creds"],
    ["/credss/", "/creds"],
    ["/rolle/app", "/role/<name>"],
    ["/role", "/role/<name>"],
    ["/roles/some-long-name-of-a-role", "/role/<name>"],
    ["/role-anr/arn:aws:iam::1:role", "/role-arn/<arn>"],
    ["/v2/credential/3f9a", "/v2/credentials/<id>"],
    ["/v2/metadat", "/v2/metadata"],
    ["/v2/meta", "/v2/metadata"],
    ["/v2/st", "/v2/stats"],
    ["/v2/metdata/4f0c", "/v2/metadata/<container>"],
    ["/v2/stat", "/v2/stats"],
    ["/v2/states/4f0c", "/v2/stats/<container>"],
    ["/v4x", "/v4"],
    ["/", "/v3"],
    ["", "/v3"],
    ["/v3/task/stat", "/v3/task/stats"],
    ["/V3/TASKS/STATS", "/v3/task/stats"],
    ["/v3/container/web", "/v3/containers/<container>"],
    ["/v3/containers/web/taks", "/v3/containers/<container>/task"],
    ["/v3/containers/web/stat", "/v3/containers/<container>/stats"],
    ["/v3/containers/web/tasks/stats", "/v3/containers/<container>/task/stats"],
    ["/healthz", "/health"],
    ["/v1", "/v1/tasks"],
    ["/v1/task", "/v1/tasks"],
    ["/v1/meta", "/v1/metadata"],
    ["/v1/credentials", "/v2/credentials/<id>"],
    ["/v3/containers/", "/v3/containers/<container>"],
    ["/api", "/api/task-protection/v1/state"],
    ["/api/web", "/api/<container>/task-protection/v1/state"],
    ["/api/containers/web", "/api/containers/<container>/task-protection/v1/state"],
    ["/api/web/task-protection/v1/stat", "/api/<container>/task-protection/v1/state"],
    ["/api/fault", "/api/fault/v1/network-latency/<start|stop|status>"],
    ["/api/fault/v1/network-packetloss/start", "/api/fault/v1/network-packet-loss/<start|stop|status>"],
    ["/api/web/fault/v1/blackhole-port/stop", "/api/<container>/fault/v1/network-blackhole-port/<start|stop|status>"],
  ] as const) {
    test(`${path || "that is empty"} is ${route}`, () => expect(nearestRoute(path)).toBe(route));
  }

  test("is found in little time for a path of any length", () => {
    const begunMs = performance.now();
    expect(nearestRoute(`/v3/containers/${"x".repeat(100_000)}`)).toStartWith("/");
    expect(performance.now() - begunMs).toBeLessThan(200);
  });
});
