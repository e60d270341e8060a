import { describe, expect, test } from "bun:test";
import { canonicalAddress, toContainer } from "../../../src/engine/container.ts";
import { container } from "../../support/containers.ts";

const inspect = (options: Partial<Parameters<typeof container>[0]> = {}) => container({ name: "web", ...options });

describe("a time", () => {
  for (const [given, expected] of [
    ["2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456789Z"],
    ["2026-01-02T03:04:05.120000000Z", "2026-01-02T03:04:05.12Z"],
    ["2026-01-02T03:04:05.000000000Z", "2026-01-02T03:04:05Z"],
    ["2026-01-02T03:04:05.000000001Z", "2026-01-02T03:04:05.000000001Z"],
    ["2026-01-02T03:04:50Z", "2026-01-02T03:04:50Z"],
    ["2026-01-02T03:04:05.1234567891Z", "2026-01-02T03:04:05.123456789Z"],
    ["2026-01-02T03:04:05.123456789+02:00", "2026-01-02T01:04:05.123456789Z"],
    ["2026-01-02T03:04:05.5+00:00", "2026-01-02T03:04:05.5Z"],
    ["2026-01-01T00:30:00.5+01:00", "2025-12-31T23:30:00.5Z"],
    ["2025-12-31T23:59:59.999999999-05:30", "2026-01-01T05:29:59.999999999Z"],
    ["2024-03-01T00:00:00+00:01", "2024-02-29T23:59:00Z"],
    ["0001-01-01T00:00:00Z", undefined],
    ["0001-01-01T00:00:00.000000000+00:00", undefined],
    ["", undefined],
    ["yesterday", undefined],
    ["2026-01-02", undefined],
    ["2026-01-02T03:04:05", undefined],
  ] as const) {
    test(`${given || "of no text"} is ${expected ?? "absent"}`, () => {
      const times = toContainer(inspect({ createdAt: given, startedAt: given, finishedAt: given }));
      expect([times.createdAt, times.startedAt, times.finishedAt]).toEqual([expected, expected, expected]);
    });
  }
  test("of null is absent", () => {
    const document = inspect();
    expect(toContainer({ ...document, State: { ...document.State, FinishedAt: null } }).finishedAt).toBeUndefined();
  });
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
      },
    ]);
  });
  test("without addresses stay, without any", () => {
    const none = { name: "n", networkId: "", ipv4: undefined, ipv6: undefined, gateways: [], macAddress: undefined };
    const empty = { IPAddress: "", GlobalIPv6Address: "", Gateway: "", IPv6Gateway: "", MacAddress: "" };
    expect(attachmentsOf(empty)).toEqual([none]);
    expect(attachmentsOf({ NetworkID: null, IPAddress: null, Gateway: null })).toEqual([none]);
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

test("mounts keep their order, and a bind mount has no name", () => {
  const bind = { Type: "bind", Source: "/srv", Destination: "/x", Mode: "", RW: true };
  expect(toContainer(inspect({ mounts: [bind, { ...bind, Name: "data" }] })).mounts).toEqual([
    { name: "", source: "/srv", destination: "/x" },
    { name: "data", source: "/srv", destination: "/x" },
  ]);
});

describe("an address has one spelling", () => {
  for (const [given, expected] of [
    ["10.0.0.2", "10.0.0.2"],
    ["::ffff:10.0.0.2", "10.0.0.2"],
    ["::FFFF:10.0.0.2", "10.0.0.2"],
    ["fd00:0:0:0:0:0:0:2", "fd00::2"],
    ["FD00::A", "fd00::a"],
    ["fd00:0:0:1:0:0:0:2", "fd00:0:0:1::2"],
    ["fe80::1%eth0", "fe80::1"],
    ["fd00::2/64", "fd00::2"],
    ["::1", "::1"],
    ["::", "::"],
    ["", ""],
    ["no:address", "no:address"],
  ] as const) {
    test(`${given || "nothing"} is ${expected || "nothing"}`, () => expect(canonicalAddress(given)).toBe(expected));
  }
});
