import { describe, expect, test } from "bun:test";
import type { Version } from "../../../src/metadata/metadata.ts";
import { readMetadataPath } from "../../../src/routes/metadata.ts";

describe("a path, with and without a slash at its end, asks for", () => {
  for (const [path, resource, identifier] of [
    ["/v2/metadata", "task", undefined],
    ["/v2/metadata/web", "container", "web"],
    ["/v2/metadataWithTags", "task-with-tags", undefined],
    ["/v2/stats", "task-stats", undefined],
    ["/v2/stats/web", "stats", "web"],
    ["/v3", "container", undefined],
    ["/v3/task", "task", undefined],
    ["/v3/taskWithTags", "task-with-tags", undefined],
    ["/v3/stats", "stats", undefined],
    ["/v3/task/stats", "task-stats", undefined],
    ["/v3/web", "container", "web"],
    ["/v3/web/task", "task", "web"],
    ["/v3/web/stats", "stats", "web"],
    ["/v3/web/task/stats", "task-stats", "web"],
    ["/v3/containers/web", "container", "web"],
    ["/v3/containers/web/task", "task", "web"],
    ["/v3/containers/web/taskWithTags", "task-with-tags", "web"],
    ["/v3/containers/web/stats", "stats", "web"],
    ["/v3/containers/web/task/stats", "task-stats", "web"],
    // After `containers` anything is an identifier.
    ["/v3/containers/task", "container", "task"],
    ["/v3/containers/stats", "container", "stats"],
    ["/v3/containers/containers", "container", "containers"],
    ["/v3/containers/task/task/stats", "task-stats", "task"],
    ["/v2/metadata/metadata", "container", "metadata"],
  ] as const) {
    test(`${path}: ${resource} of ${identifier ?? "the caller"}`, () => {
      const asked = { version: path.slice(1, 3) as Version, resource, identifier };
      expect([readMetadataPath(path), readMetadataPath(`${path}/`)]).toEqual([asked, asked]);
      if (asked.version !== "v3") return;
      // V4 has the paths of V3.
      expect(readMetadataPath(path.replace("v3", "v4"))).toEqual({ ...asked, version: "v4" });
    });
  }
});

describe("an identifier is decoded once", () => {
  for (const [encoded, identifier] of [
    ["shop%2Dweb%2d1", "shop-web-1"],
    ["caf%C3%A9", "café"],
    ["%F0%9F%98%80", "😀"],
    ["a%20b", "a b"],
    ["a+b", "a+b"],
    ["a%2Fb", "a/b"],
    ["%2F", "/"],
    ["a%252Fb", "a%2Fb"],
    ["%3Fx", "?x"],
  ] as const) {
    test(`${encoded} is ${identifier}`, () => {
      for (const [path, resource] of [
        ["/v2/metadata/*", "container"],
        ["/v2/stats/*", "stats"],
        ["/v3/*", "container"],
        ["/v3/*/task/stats", "task-stats"],
        ["/v3/containers/*/task", "task"],
      ] as const) {
        const version = path.slice(1, 3) as Version;
        expect(readMetadataPath(path.replace("*", encoded))).toEqual({ version, resource, identifier });
      }
    });
  }
});

describe("a path asks for nothing", () => {
  for (const path of [
    "/v2",
    "/v2/",
    "/v2/meta",
    "/v2/Metadata",
    "/v2/task",
    "/v2/containers/web",
    "/v2/metadata/web/stats",
    "/v2/metadataWithTags/web",
    "/v3/taskwithtags/x",
    "/v3/web/tasks/stats",
    "/v2/stats/web/x",
    "/v3/containers",
    "/v3/containers/",
    "/v3/containers//",
    "/v3/web/x",
    "/v3/web/Task",
    "/v3/web/stats/task",
    "/v3/web/task/stats/x",
    "/v3/task/stats/x",
    "/v3/containers/web/x",
    "/v3/containers/web/task/x",
    "/v3/containers/web/task/stats/x",
    "/v3/containers/web/containers",
  ]) {
    test(path, () => expect(readMetadataPath(path)).toBeUndefined());
  }
});

describe("a name that every object has", () => {
  for (const name of ["constructor", "toString", "__proto__"]) {
    test(`${name} is a container's, and no resource`, () => {
      expect(readMetadataPath(`/v3/${name}`)).toEqual({ version: "v3", resource: "container", identifier: name });
      expect(readMetadataPath(`/v3/web/${name}`)).toBeUndefined();
    });
  }
});

test("an encoded slash separates nothing", () => {
  expect(readMetadataPath("/v3/task%2Fstats")).toEqual({
    version: "v3",
    resource: "container",
    identifier: "task/stats",
  });
  expect(readMetadataPath("/v3/web/task%2Fstats")).toBeUndefined();
});

describe("a doubled slash counts for one", () => {
  for (const [path, clean] of [
    ["/v3//", "/v3"],
    ["/v3//task", "/v3/task"],
    ["/v3/web//", "/v3/web"],
    ["/v3/web//task//stats", "/v3/web/task/stats"],
    ["/v2/metadata//", "/v2/metadata"],
    ["/v2//stats/web", "/v2/stats/web"],
  ] as const) {
    test(path, () => expect(readMetadataPath(path)).toEqual(readMetadataPath(clean)));
  }
});
