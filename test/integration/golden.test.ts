import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually, startApp } from "../support/app.ts";
import { container, withComposeProject, withLabels } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { golden } from "../support/golden.ts";
import { network, withNetwork } from "../support/networks.ts";

// Every document of V2, V3 and V4, stats too, for one fixed set of containers, byte for byte; test/golden has them, one file each.
const NOW = Date.parse("2026-01-02T05:00:00Z");
const ipv6 = { subnet: "fd00:7::/64", gateway: "fd00:7::1" };
const shop = network({ name: "shop_default", subnet: "172.20.0.0/16", gateway: "172.20.0.1", ipv6 });
const back = network({ name: "back", subnet: "10.1.0.0/24", gateway: "10.1.0.1" });
const bridge = network({ name: "bridge", subnet: "172.17.0.0/16", gateway: "172.17.0.1" });
const id = (digits: string) => digits.padEnd(64, "0");

const web = withComposeProject(
  container({
    name: "shop-web-1",
    id: id("4f0c"),
    image: "shop/web:1.4",
    labels: { team: "a", "com.docker.compose.oneoff": "False" },
    cpuShares: 256,
    memoryBytes: 128 * 1_048_576,
    restartPolicy: "always",
    ports: {
      "8080/tcp": null,
      "443/tcp": [{ HostIp: "127.0.0.1", HostPort: "8443" }],
      "80/tcp": [
        { HostIp: "0.0.0.0", HostPort: "32768" },
        { HostIp: "::", HostPort: "32768" },
      ],
    },
    mounts: [
      { Type: "volume", Name: "shop-data", Source: "/volumes/shop-data", Destination: "/data", Mode: "", RW: true },
      { Type: "bind", Source: "/srv/shop", Destination: "/srv", Mode: "", RW: false },
      { Type: "tmpfs", Source: "", Destination: "/tmp", Mode: "", RW: true },
    ],
    health: {
      status: "healthy",
      log: [{ Start: "2026-01-02T03:04:12.3Z", End: "2026-01-02T03:04:12.4Z", ExitCode: 0, Output: "<ok> & done\n" }],
    },
  }),
  "shop",
  "web",
);
web.HostConfig.LogConfig = { Type: "json-file", Config: { "max-size": "10m" } };
const db = container({
  name: "shop-db-1",
  id: id("db01"),
  image: "postgres:17",
  nanoCpus: 1_500_000_000,
  health: { status: "starting" },
});
const stopped = { running: false, startedAt: "2026-01-02T04:10:00Z" };
const job = container({
  name: "shop-job-1",
  id: id("0b01"),
  ...stopped,
  exitCode: 3,
  finishedAt: "2026-01-02T04:20:00.000000001Z",
});
const done = container({
  name: "shop-done-1",
  id: id("d0e1"),
  ...stopped,
  exitCode: 0,
  finishedAt: "2026-01-02T04:59:30.5Z",
});
const old = container({ name: "shop-old-1", id: id("01d1"), running: false, finishedAt: "2026-01-02T01:59:59Z" });
const oneOff = withLabels(
  container({ name: "shop-web-run-1", id: id("0ff1"), ...stopped, finishedAt: "2026-01-02T04:40:00Z" }),
  {
    "com.docker.compose.oneoff": "True",
  },
);
const orders = withLabels(container({ name: "ecs-orders-7-api-c2e5", id: id("feed"), image: "orders:7" }), {
  "com.amazonaws.ecs.cluster": "staging",
  "com.amazonaws.ecs.container-name": "api",
  "com.amazonaws.ecs.task-arn": "arn:aws:ecs:eu-west-1:111122223333:task/staging/0f9de17a6465404e8b1b2356dc13c2f8",
  "com.amazonaws.ecs.task-definition-family": "orders",
  "com.amazonaws.ecs.task-definition-version": "7",
});

const next = container({
  name: "shop-next-1",
  id: id("9e71"),
  running: false,
  startedAt: "0001-01-01T00:00:00Z",
  createdAt: "2026-01-02T04:50:00Z",
});

const engine = startFakeEngine({
  stats: { cgroup: 1, since: NOW - 10_000, last: 1 },
  statsIntervalMs: 20,
  networks: [shop, back, bridge],
  containers: [
    withNetwork(web, shop, { ipv4: "172.20.0.2", ipv6: "fd00:7::2" }),
    withNetwork(withNetwork(withComposeProject(db, "shop", "db"), shop, { ipv4: "172.20.0.3" }), back, {
      ipv4: "10.1.0.3",
    }),
    ...[job, done, old, oneOff, next].map((each) => withComposeProject(each, "shop", each.Name.split("-")[1] ?? "")),
    withNetwork(container({ name: "plain", id: id("b1a1"), image: "busybox" }), bridge, { ipv4: "172.17.0.2" }),
    withNetwork(orders, bridge, { ipv4: "172.17.0.3" }),
    container({ name: "hosted", id: id("0057"), networkMode: "host" }),
  ],
});

const TAGS = { TASK_TAGS: "team=shop,stage=dev", CONTAINER_INSTANCE_TAGS: '{"rack":"7"}' };
const CONFIGURED = {
  ...TAGS,
  CLUSTER_ARN: "arn:aws:ecs:us-east-2:111122223333:cluster/dev",
  TASK_ARN: "arn:aws:ecs:us-east-2:111122223333:task/dev/9781c248f5a84a6a9a1c2a1b1c1d1e1f",
  TASK_DEFINITION_FAMILY: "shop",
  TASK_DEFINITION_REVISION: "12",
  AVAILABILITY_ZONE: "us-east-2b",
  LAUNCH_TYPE: "fargate",
  SERVICE_NAME: "shop-svc",
  VPC_ID: "vpc-0123456789abcdef0",
  TASK_CPU: "256",
  TASK_MEMORY: "0.5 GB",
  ECS_LOCAL_NETWORK_MODE: "awsvpc",
};

describe.each([
  ["with the defaults", "", {}],
  ["with tags", "tags-", TAGS],
  ["with all that can be configured", "configured-", CONFIGURED],
] as const)("%s", (_, prefix, env) => {
  const app = startApp(engine.host, { env, now: () => NOW });
  beforeAll(async () => {
    await eventually(() => app.inventory.isCurrent() && app.inventory.store.machine() !== undefined, 2_000);
    const isWarm = async () =>
      (await app.ask("/v4/task/stats", "172.20.0.2")).text.split("network_rate_stats").length > 2;
    await eventually(isWarm, 2_000);
  });
  afterAll(app.stop);

  const withTags = [
    ["v2-task-with-tags", "/v2/metadataWithTags", "172.20.0.2"],
    ["v3-task-with-tags", "/v3/taskWithTags", "172.20.0.2"],
    ["v4-task-with-tags", "/v4/taskWithTags", "172.20.0.2"],
  ] as const;
  const all = [
    ["v2-task", "/v2/metadata", "172.20.0.2"],
    ["v2-container", `/v2/metadata/${id("4f0c")}`, "172.20.0.3"],
    ["v3-container", "/v3", "172.20.0.2"],
    ["v3-container-stopped", "/v3/containers/shop-job-1", "172.20.0.2"],
    ["v3-task", "/v3/task", "172.20.0.2"],
    ["v4-container", "/v4", "172.20.0.2"],
    ["v4-container-two-networks", "/v4", "172.20.0.3"],
    ["v4-container-plain", "/v4", "172.17.0.2"],
    ["v4-container-host", "/v4/containers/hosted", "172.20.0.2"],
    ["v4-container-stopped", "/v4/containers/shop-job-1", "172.20.0.2"],
    ["v4-task", "/v4/task", "172.20.0.2"],
    ["v4-task-labelled", "/v4/task", "172.17.0.3"],
    ["v4-task-machine", "/v4/task", "127.0.0.1"],
    ["v2-stats", `/v2/stats/${id("4f0c")}`, "172.20.0.3"],
    ["v2-task-stats", "/v2/stats", "172.20.0.3"],
    ["v3-stats", "/v3/stats", "172.20.0.2"],
    ["v3-task-stats", "/v3/task/stats", "172.20.0.2"],
    ["v4-stats", "/v4/stats", "172.20.0.2"],
    ["v4-task-stats", "/v4/task/stats", "172.20.0.2"],
  ] as const;

  for (const [name, path, address] of prefix === ""
    ? [...all, ...withTags]
    : prefix === "tags-"
      ? withTags
      : all.filter(([name]) => name.startsWith("v4") || name === "v3-task")) {
    test(`${path} as ${address} is ${prefix}${name}.json`, async () => {
      const { status, type, text } = await app.ask(path, address);
      expect([status, type]).toEqual([200, "application/json"]);
      expect(text).toBe(golden(`${prefix}${name}`, text));
    });
  }
});

afterAll(() => engine.stop());
