import { describe, expect, test } from "bun:test";
import { type Container, toContainer } from "../../../src/engine/container.ts";
import { createBodies } from "../../../src/metadata/task-document.ts";
import { container } from "../../support/containers.ts";

const task = {
  cluster: "local",
  taskArn: "arn:aws:ecs:us-west-2:111111111111:task/local/t",
  family: "fam",
  revision: "1",
  launchType: "EC2",
  machine: undefined,
};
const bodies = createBodies({});
const ID = "4f0c".padEnd(64, "0");
const make = (options: Partial<Parameters<typeof container>[0]> = {}): Container =>
  toContainer(container({ id: ID, name: "web", ...options }));
const bodyOf = (facts: Container) => bodies.container(facts, task, "v3");
const parsed = (facts: Container) => JSON.parse(bodyOf(facts));

const FIVE =
  '"com.amazonaws.ecs.cluster":"local","com.amazonaws.ecs.container-name":"web",' +
  '"com.amazonaws.ecs.task-arn":"arn:aws:ecs:us-west-2:111111111111:task/local/t",' +
  '"com.amazonaws.ecs.task-definition-family":"fam","com.amazonaws.ecs.task-definition-version":"1"';
const IDENTITY = `"DockerId":"${ID}","Name":"web","DockerName":"web","Image":"shop/web:1.4","ImageID":"sha256:9b4f"`;
const full: Container = {
  ...make({ cpuShares: 256, memoryBytes: 134_217_728 }),
  image: "shop/web:1.4",
  imageId: "sha256:9b4f",
  labels: { team: "a" },
  ports: [
    { containerPort: 80, protocol: "tcp", hostPort: 32768 },
    { containerPort: 80, protocol: "tcp", hostPort: 32768 },
    { containerPort: 53, protocol: "udp", hostPort: 0 },
  ],
  endpoints: [
    {
      name: "proj_default",
      networkId: "n1",
      ipv4: "172.18.0.2",
      ipv6: "fd00::2",
      gateways: ["172.18.0.1"],
      macAddress: undefined,
    },
    { name: "six", networkId: "n2", ipv4: undefined, ipv6: "fd01::2", gateways: [], macAddress: undefined },
    { name: "host", networkId: "n3", ipv4: undefined, ipv6: undefined, gateways: [], macAddress: undefined },
  ],
  health: { status: "UNHEALTHY", since: "2026-01-02T03:04:12.4Z", exitCode: 1, output: "no\n" },
  mounts: [
    { name: "shop-data", source: "/var/lib/docker/volumes/shop-data/_data", destination: "/data" },
    { name: "", source: "/srv/x", destination: "/x" },
  ],
};

test("a container's document has every key in the agent's order", () => {
  expect(bodyOf(full)).toBe(
    `{${IDENTITY},"Ports":[{"ContainerPort":80,"Protocol":"tcp","HostPort":32768},` +
      '{"ContainerPort":80,"Protocol":"tcp","HostPort":32768},{"ContainerPort":53,"Protocol":"udp"}],' +
      `"Labels":{${FIVE},"team":"a"},"DesiredStatus":"RUNNING","KnownStatus":"RUNNING","Limits":{"CPU":256,"Memory":128},` +
      '"CreatedAt":"2026-01-02T03:04:05.123456789Z","StartedAt":"2026-01-02T03:04:05.678901234Z","Type":"NORMAL",' +
      '"Networks":[{"NetworkMode":"proj_default","IPv4Addresses":["172.18.0.2"],"IPv6Addresses":["fd00::2"]},' +
      '{"NetworkMode":"six","IPv6Addresses":["fd01::2"]},{"NetworkMode":"host"}],' +
      '"Health":{"status":"UNHEALTHY","statusSince":"2026-01-02T03:04:12.4Z","exitCode":1,"output":"no\\n"},' +
      '"Volumes":[{"DockerName":"shop-data","Source":"/var/lib/docker/volumes/shop-data/_data","Destination":"/data"},' +
      '{"Source":"/srv/x","Destination":"/x"}]}',
  );
});

test("a container's document leaves out what the container has not", () => {
  const created = make({ running: false, startedAt: "0001-01-01T00:00:00Z", createdAt: "0001-01-01T00:00:00Z" });
  expect(bodyOf({ ...created, image: "shop/web:1.4", imageId: "sha256:9b4f" })).toBe(
    `{${IDENTITY},"Labels":{${FIVE}},"DesiredStatus":"RUNNING","KnownStatus":"CREATED","Limits":{"CPU":2,"Memory":0},"Type":"NORMAL"}`,
  );
});

test("a container's document is made once for one store of it and one description of its task", () => {
  const labels: Record<string, string> = { a: "1" };
  const facts = { ...make(), labels };
  const first = bodyOf(facts);
  labels.a = "2";
  expect(bodyOf(facts)).toBe(first);
  expect(bodyOf({ ...facts })).not.toBe(first);
  expect(bodies.container(facts, { ...task, family: "other" }, "v3")).toContain('task-definition-family":"other"');
  expect(bodyOf(facts)).toContain('task-definition-family":"fam"');
});

describe("Limits", () => {
  for (const [title, facts, limits] of [
    ["are the shares", { cpuShares: 512 }, { CPU: 512, Memory: 0 }],
    ["are the shares before the CPUs", { cpuShares: 512, nanoCpus: 1_000_000_000 }, { CPU: 512, Memory: 0 }],
    ["are the CPUs in units", { nanoCpus: 1_500_000_000 }, { CPU: 1536, Memory: 0 }],
    ["are whole numbers", { nanoCpus: 333_000_000, memoryBytes: 7_340_031 }, { CPU: 341, Memory: 6 }],
    ["round CPUs to the nearest unit", { nanoCpus: 2_500_000 }, { CPU: 3, Memory: 0 }],
    ["have a floor of 2 for shares", { cpuShares: 1 }, { CPU: 2, Memory: 0 }],
    ["have a floor of 2 for CPUs", { nanoCpus: 1 }, { CPU: 2, Memory: 0 }],
    ["are there where none was asked for", {}, { CPU: 2, Memory: 0 }],
  ] as const) {
    test(title, () => expect(parsed(make(facts)).Limits).toEqual(limits));
  }
});

describe("KnownStatus, DesiredStatus and ExitCode of", () => {
  const zero = "0001-01-01T00:00:00Z";
  const ended = "2026-01-02T04:00:00.5Z";
  for (const [title, facts, expected] of [
    ["a running container", make(), ["RUNNING", "RUNNING", undefined]],
    ["a restarted one", make({ finishedAt: ended, exitCode: 3 }), ["RUNNING", "RUNNING", undefined]],
    ["one that ended well", make({ running: false }), ["STOPPED", "STOPPED", 0]],
    ["one that failed", make({ running: false, exitCode: 137 }), ["STOPPED", "STOPPED", 137]],
    ["a created one", make({ running: false, startedAt: zero }), ["CREATED", "RUNNING", undefined]],
    [
      "one that could not start",
      { ...make({ running: false, startedAt: zero }), error: "no such file" },
      ["STOPPED", "STOPPED", undefined],
    ],
    ["a dead one", { ...make({ running: false, startedAt: zero }), dead: true }, ["STOPPED", "STOPPED", undefined]],
    ["one that stopped without a time", make({ running: false, finishedAt: zero }), ["STOPPED", "STOPPED", undefined]],
  ] as const) {
    test(title, () => {
      const { KnownStatus, DesiredStatus, ExitCode } = parsed(facts);
      expect([KnownStatus, DesiredStatus, ExitCode]).toEqual([...expected]);
    });
  }
  test("one that ended well prints its 0", () => {
    expect(bodyOf(make({ running: false }))).toContain('"KnownStatus":"STOPPED","ExitCode":0,"Limits"');
  });
});

describe("Health", () => {
  const since = "2026-01-02T03:04:12.4Z";
  for (const [title, health, json] of [
    ["is empty while it starts", { status: undefined, since: undefined, exitCode: 0, output: "" }, "{}"],
    [
      "leaves out an exit code of 0 and no output",
      { status: "HEALTHY", since, exitCode: 0, output: "" },
      `{"status":"HEALTHY","statusSince":"${since}"}`,
    ],
    [
      "has the exit code of a failure",
      { status: "UNHEALTHY", since, exitCode: 137, output: "no" },
      `{"status":"UNHEALTHY","statusSince":"${since}","exitCode":137,"output":"no"}`,
    ],
  ] as const) {
    test(title, () => expect(bodyOf({ ...make(), health })).toContain(`"Health":${json}`));
  }
  for (const [title, output, shown] of [
    ["of 1024 bytes stays", "x".repeat(1024), "x".repeat(1024)],
    ["of more is cut to 1024", "x".repeat(1025), "x".repeat(1024)],
    ["is measured in bytes", "é".repeat(513), "é".repeat(512)],
    ["is not cut within a character of two bytes", `x${"é".repeat(512)}`, `x${"é".repeat(511)}`],
    ["is not cut within a character of four bytes", `${"x".repeat(1021)}😀`, "x".repeat(1021)],
    ["is whole where its last character ends with it", `${"x".repeat(1020)}😀x`, `${"x".repeat(1020)}😀`],
  ] as const) {
    test(`has an output that ${title}`, () => {
      const health = { status: "HEALTHY", since, exitCode: 0, output } as const;
      expect(parsed({ ...make(), health }).Health.output).toBe(shown);
    });
  }
  test("is absent without a check", () => expect(parsed(make())).not.toHaveProperty("Health"));
});
