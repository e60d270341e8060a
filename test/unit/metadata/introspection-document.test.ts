import { expect, test } from "bun:test";
import { introspectionTask } from "../../../src/metadata/introspection.ts";

const FACTS = {
  Cluster: "staging",
  TaskARN: "arn:task",
  Family: "orders",
  Revision: "7",
  DesiredStatus: "RUNNING",
  KnownStatus: "RUNNING",
  Limits: { CPU: 1, Memory: 2 },
  LaunchType: "EC2",
};

test("a container is told by the agent's keys in the agent's order, without those of later versions", () => {
  const Containers = [
    {
      DockerId: "id",
      Name: "api",
      DockerName: "orders",
      Image: "alpine",
      ImageID: "sha256:1",
      Ports: [{ ContainerPort: 80, Protocol: "tcp", HostPort: 32768, HostIp: "0.0.0.0" }],
      Labels: { a: "b" },
      KnownStatus: "RUNNING",
      Limits: { CPU: 2, Memory: 0 },
      CreatedAt: "2026-01-02T03:04:05.1Z",
      StartedAt: "2026-01-02T03:04:06.1Z",
      Type: "NORMAL",
      Volumes: [{ Source: "/a", Destination: "/b" }],
      ContainerARN: "arn:container",
      Networks: [{ NetworkMode: "awsvpc", IPv4Addresses: ["10.0.0.2"], MACAddress: "02:42:0a:00:00:02" }],
      RestartCount: 0,
    },
    { DockerId: "other" },
  ];
  expect(JSON.stringify(introspectionTask({ ...FACTS, Containers }, (id) => id === "id"))).toBe(
    '{"Arn":"arn:task","DesiredStatus":"RUNNING","KnownStatus":"RUNNING","Family":"orders","Version":"7","Containers":[{"DockerId":"id","DockerName":"orders","Name":"api","Image":"alpine","ImageID":"sha256:1","CreatedAt":"2026-01-02T03:04:05.1Z","StartedAt":"2026-01-02T03:04:06.1Z","Ports":[{"ContainerPort":80,"Protocol":"tcp","HostPort":32768}],"Networks":[{"NetworkMode":"awsvpc","IPv4Addresses":["10.0.0.2"]}],"Volumes":[{"Source":"/a","Destination":"/b"}],"RestartCount":0}]}',
  );
});

test("networks are told with awsvpc only, as the agent does", () => {
  const Containers = [{ DockerId: "id", Networks: [{ NetworkMode: "shop_default", IPv4Addresses: ["10.0.0.2"] }] }];
  expect(introspectionTask({ ...FACTS, Containers }, () => true).Containers[0]?.Networks).toBeUndefined();
});

test("a task without containers has an empty list, and a user's JSON of any kind breaks nothing", () => {
  expect(introspectionTask(FACTS, () => true).Containers).toEqual([]);
  const Containers = [{ DockerId: "id", Ports: "none", Networks: [null, 1] }];
  expect(introspectionTask({ ...FACTS, Containers }, () => true).Containers[0]).toMatchObject({ Ports: [] });
  for (const Containers of [{}, "x", 1, null, [null], [{ DockerId: { toString: null } }], [{ DockerId: ["id"] }]]) {
    expect(introspectionTask({ ...FACTS, Containers }, () => true).Containers).toEqual([]);
  }
});
