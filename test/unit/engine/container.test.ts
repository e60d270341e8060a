import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import { container } from "../../support/containers.ts";

const inspect = (options: Partial<Parameters<typeof container>[0]> = {}) => container({ name: "web", ...options });

test("a container has its times in UTC, and none that the engine has not", () => {
  const [createdAt, startedAt] = ["2026-01-02T03:04:05.120+02:00", "2026-01-02T03:04:06Z"];
  const times = toContainer(inspect({ createdAt, startedAt, finishedAt: "0001-01-01T00:00:00Z" }));
  expect([times.createdAt, times.startedAt]).toEqual(["2026-01-02T01:04:05.12Z", "2026-01-02T03:04:06Z"]);
  expect(times.finishedAt).toBeUndefined();
});

test("a container has the health that its checks say", () => {
  const log = [{ Start: "", End: "2026-01-02T03:04:05.50Z", ExitCode: 0, Output: "ok" }];
  const health = { status: "HEALTHY", since: "2026-01-02T03:04:05.5Z", exitCode: 0, output: "ok" } as const;
  expect(toContainer(inspect({ health: { status: "healthy", log } })).health).toEqual(health);
});

test("a container has the engine's facts in our words", () => {
  const document = inspect({ image: "shop/web:1.4", labels: { a: "b" }, running: false, exitCode: 3, memoryBytes: 5 });
  const State = { ...document.State, Dead: true, Error: "no such file" };
  const HostConfig = { ...document.HostConfig, CpuShares: 256, NanoCpus: 7 };
  expect(toContainer({ ...document, State, HostConfig })).toMatchObject({
    id: document.Id,
    name: "web",
    image: "shop/web:1.4",
    imageId: document.Image,
    labels: { a: "b" },
    running: false,
    dead: true,
    exitCode: 3,
    error: "no such file",
    cpuShares: 256,
    nanoCpus: 7,
    memoryBytes: 5,
  });
});

test("a container of which the engine says least has empty facts", () => {
  const { Id, Created, Image } = inspect();
  const facts = toContainer({ Id, Created, Image, Name: "web", State: { Running: true }, Config: {}, HostConfig: {} });
  expect(facts).toMatchObject({ name: "web", image: "", labels: {}, dead: false, exitCode: 0, error: "" });
  expect(facts).toMatchObject({ cpuShares: 0, nanoCpus: 0, memoryBytes: 0, ports: [], endpoints: [], mounts: [] });
  expect([facts.networkOwner, facts.health, facts.startedAt]).toEqual([undefined, undefined, undefined]);
});

for (const [title, limits, nanoCpus] of [
  ["its own number", { NanoCpus: 7, CpuQuota: 50_000 }, 7],
  ["a quota of a period", { NanoCpus: 0, CpuQuota: 25_000, CpuPeriod: 50_000 }, 500_000_000],
  ["a quota of the kernel's period where none is said", { CpuQuota: 150_000, CpuPeriod: 0 }, 1_500_000_000],
  ["a quota of none, which is not a limit", { CpuQuota: -1, CpuPeriod: 50_000 }, 0],
  ["a period without a quota, which is not a limit", { CpuPeriod: 50_000 }, 0],
] as const) {
  test(`a container has the CPUs of ${title}`, () => {
    const document = inspect();
    expect(toContainer({ ...document, HostConfig: { ...document.HostConfig, ...limits } }).nanoCpus).toBe(nanoCpus);
  });
}

describe("ports", () => {
  const binding = (HostPort: string, HostIp = "0.0.0.0") => ({ HostIp, HostPort });
  for (const [title, ports, expected] of [
    ["that are exposed and not published are left out", { "80/tcp": null, "81/tcp": [] }, []],
    [
      "that are bound twice are there twice",
      { "80/tcp": [binding("8080"), binding("8080", "::")] },
      ["80/tcp 8080", "80/tcp 8080"],
    ],
    [
      "are in the order of their numbers",
      { "443/tcp": [binding("9")], "80/udp": [binding("8")], "80/tcp": [binding("10"), binding("7")] },
      ["80/tcp 7", "80/tcp 10", "80/udp 8", "443/tcp 9"],
    ],
    ["without a protocol are of TCP", { "80": [binding("8080")] }, ["80/tcp 8080"]],
    ["of SCTP are kept", { "80/sctp": [binding("8080")] }, ["80/sctp 8080"]],
    ["without a host port have none", { "80/tcp": [binding("")] }, ["80/tcp 0"]],
  ] as const) {
    test(title, () => {
      const found = toContainer(inspect({ ports: ports as never })).ports;
      expect(found.map((port) => `${port.containerPort}/${port.protocol} ${port.hostPort}`)).toEqual([...expected]);
    });
  }
  test("that are one are in the order of their addresses, IPv4 first", () => {
    const ports = { "80/tcp": [binding("8080", "::"), binding("8080", "127.0.0.1"), binding("8080")] };
    expect(toContainer(inspect({ ports })).ports.map(({ hostIp }) => hostIp)).toEqual(["0.0.0.0", "127.0.0.1", "::"]);
  });
  test("of Podman, which leaves out an address of the host that is all, have it as Docker", () => {
    const ports = { "80/tcp": [binding("8080", ""), binding("8081", "127.0.0.1")] };
    expect(toContainer(inspect({ ports })).ports.map(({ hostIp }) => hostIp)).toEqual(["0.0.0.0", "127.0.0.1"]);
  });
});

test("mounts are in the order of their places, and a bind mount has no name", () => {
  const bind = { Type: "bind", Source: "/srv", Destination: "/x", Mode: "", RW: true };
  const data = { ...bind, Name: "data", Destination: "/data" };
  expect(toContainer(inspect({ mounts: [bind, { ...bind, Source: "/more" }, data] })).mounts).toEqual([
    { name: "data", source: "/srv", destination: "/data" },
    { name: "", source: "/srv", destination: "/x" },
    { name: "", source: "/more", destination: "/x" },
  ]);
});
