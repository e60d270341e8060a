import { describe, expect, expectTypeOf, test } from "bun:test";
import type { Static } from "@sinclair/typebox";
import type { ContainerInfo, ContainerInspectInfo, DockerVersion, NetworkInspectInfo } from "dockerode";
import type { Inspect, ListSchema, NetworksSchema, VersionSchema } from "../../src/engine/schema.ts";
import type { Strays } from "./strays.ts";

// What fails here fails in tsc, with the path of the field: a field that is known to be none of dockerode's would stand
// in the braces with the reason. Events are not among these documents, because dockerode has no type for them.
type Exceptions<Paths extends string> = Readonly<Record<Paths, string>>;

describe("what we read of the engine is what dockerode knows", () => {
  test("of its version", () => {
    const exceptions: Exceptions<Strays<Static<typeof VersionSchema>, DockerVersion>> = {};
    expect(Object.keys(exceptions)).toBeEmpty();
  });
  test("of its list of containers", () => {
    const exceptions: Exceptions<Strays<Static<typeof ListSchema>, ContainerInfo[]>> = {};
    expect(Object.keys(exceptions)).toBeEmpty();
  });
  test("of its list of networks", () => {
    const exceptions: Exceptions<Strays<Static<typeof NetworksSchema>, NetworkInspectInfo[]>> = {};
    expect(Object.keys(exceptions)).toBeEmpty();
  });
  test("of a container", () => {
    const exceptions: Exceptions<Strays<Inspect, ContainerInspectInfo>> = {
      ".NetworkSettings.Networks{}.Aliases": "dockerode calls it any: it is a list of names, or null",
      ".HostConfig.Dns[]": "dockerode calls them any: they are addresses",
      ".HostConfig.LogConfig.Config": "dockerode calls it any: it is a map of texts",
      ".Storage": "of API 1.52, which dockerode does not know",
    };
    expect(Object.keys(exceptions)).toHaveLength(4);
  });
});

describe("a stray field is found by its path", () => {
  type Of<Ours> = Strays<Ours, ContainerInspectInfo>;

  test("where its name is misspelt", () => {
    expectTypeOf<Of<{ State: { Runing?: boolean } }>>().toEqualTypeOf<".State.Runing">();
    expectTypeOf<Of<{ Mounts?: { Sorce?: string }[] | null }>>().toEqualTypeOf<".Mounts[].Sorce">();
    type Endpoint = { IpAddress?: string; IPAddress?: string };
    type Misspelt = Of<{ NetworkSettings: { Networks: Record<string, Endpoint> } }>;
    expectTypeOf<Misspelt>().toEqualTypeOf<".NetworkSettings.Networks{}.IpAddress">();
  });
  test("where it has another type", () => {
    expectTypeOf<Of<{ State: { ExitCode: string } }>>().toEqualTypeOf<".State.ExitCode">();
    expectTypeOf<Of<{ HostConfig: { Memory?: number[] } }>>().toEqualTypeOf<".HostConfig.Memory">();
    expectTypeOf<Of<{ Mounts: { Source: string } }>>().toEqualTypeOf<".Mounts.Source">();
  });
  test("where the engine may leave out what we need", () => {
    expectTypeOf<Of<{ HostConfig: { NanoCpus: number } }>>().toEqualTypeOf<".HostConfig.NanoCpus">();
    expectTypeOf<Of<{ HostConfig: { NanoCpus?: number | null } }>>().toEqualTypeOf<never>();
  });
});
