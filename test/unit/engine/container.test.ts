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
  expect(facts).toMatchObject({ cpuShares: 0, nanoCpus: 0, memoryBytes: 0, ports: [], attachments: [], mounts: [] });
  expect([facts.networkOwner, facts.health, facts.startedAt]).toEqual([undefined, undefined, undefined]);
});

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
  test("of Podman, which leaves out an address of the host that is all, have it as Docker", () => {
    const ports = { "80/tcp": [binding("8080", ""), binding("8081", "127.0.0.1")] };
    expect(toContainer(inspect({ ports })).ports.map(({ hostIp }) => hostIp)).toEqual(["0.0.0.0", "127.0.0.1"]);
  });
});

describe("networks", () => {
  const attachmentsOf = (endpoint: object) =>
    toContainer({ ...inspect(), NetworkSettings: { Networks: { n: endpoint } } }).attachments;
  test("have their addresses in one spelling", () => {
    const endpoint = {
      NetworkID: "id",
      IPAddress: "172.18.0.2",
      GlobalIPv6Address: "FD00:0:0:0:0::2",
      Gateway: "172.18.0.1",
      IPv6Gateway: "FD00:0:0:0::1",
      MacAddress: "02:42:AC:12:00:02",
    };
    expect(attachmentsOf(endpoint)).toEqual([
      {
        name: "n",
        networkId: "id",
        ipv4: "172.18.0.2",
        ipv6: "fd00::2",
        gateways: ["172.18.0.1", "fd00::1"],
        macAddress: "02:42:ac:12:00:02",
        aliases: [],
      },
    ]);
  });
  test("without addresses stay, without any", () => {
    const none = {
      name: "n",
      networkId: "",
      ipv4: undefined,
      ipv6: undefined,
      gateways: [],
      macAddress: undefined,
      aliases: [],
    };
    const empty = { IPAddress: "", GlobalIPv6Address: "", Gateway: "", IPv6Gateway: "", MacAddress: "" };
    expect(attachmentsOf(empty)).toEqual([none]);
    expect(attachmentsOf({ NetworkID: null, IPAddress: null, Gateway: null })).toEqual([none]);
  });
  test("of Podman are called as its list of networks has them", () => {
    const called = (name: string, NetworkID: string) =>
      toContainer({ ...inspect(), NetworkSettings: { Networks: { [name]: { NetworkID } } } }).attachments.map(
        (attachment) => [attachment.name, attachment.networkId],
      );
    expect(called("podman", "podman")).toEqual([["bridge", "bridge"]]);
    expect(called("shop", "shop")).toEqual([["shop", "shop"]]);
    // A network that a user of Docker called so.
    expect(called("podman", "4f0c")).toEqual([["podman", "4f0c"]]);
  });
  for (const mode of ["host", "none"]) {
    test(`are one of the name ${mode} in that mode, whether the engine says it or not`, () => {
      const named = (Networks: object) =>
        toContainer({ ...inspect({ networkMode: mode }), NetworkSettings: { Networks } as never }).attachments;
      expect(named({})).toMatchObject([{ name: mode, ipv4: undefined, ipv6: undefined, gateways: [] }]);
      expect(named({ [mode]: { NetworkID: "4f0c" } })).toMatchObject([{ name: mode, networkId: "4f0c" }]);
    });
  }
  test("are none where the engine says none of a bridge", () => {
    expect(toContainer(inspect({ networkMode: "bridge" })).attachments).toEqual([]);
  });
  for (const [networkMode, owner] of [
    ["container:4f0c", "4f0c"],
    ["container:web", "web"],
    ["bridge", undefined],
    ["host", undefined],
    ["my-container:x", undefined],
  ] as const) {
    test(`of the mode ${networkMode} are ${owner ?? "its own"}`, () => {
      expect(toContainer(inspect({ networkMode })).networkOwner).toBe(owner);
    });
  }
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
