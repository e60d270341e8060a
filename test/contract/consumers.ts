import {
  address,
  arn,
  boolean,
  cidr,
  type Fields,
  integer,
  maybe,
  number,
  oneOf,
  orNull,
  status,
  text,
  time,
  unsigned,
  zone,
} from "../support/consumers/fields.ts";
import {
  AWSLOGS,
  BLOCKS,
  COUNTERS,
  DATADOG_CONTAINER,
  DATADOG_TASK,
  each,
  LABEL,
  LOGS,
  NETWORKS,
  RATES,
  STATS,
  TASK,
} from "./consumer-fields.ts";
import { SHOP_WEB } from "./machine.ts";

/** A program that reads the endpoints, and what it needs of each path that it asks. */
interface Consumer {
  readonly name: string;
  readonly asks: Readonly<Record<string, Fields>>;
  /** What its user has to set. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Who reads the metadata and the stats, and what breaks it when it is missing or of another form: a row for each.
 * A path is as the consumer makes it of its variable or of what it has fixed; the caller is known by its address.
 */
export const CONSUMERS: readonly Consumer[] = [
  {
    name: "Datadog Agent",
    asks: {
      "/v4": DATADOG_CONTAINER,
      "/v4/task": DATADOG_TASK,
      "/v4/taskWithTags": { ...DATADOG_TASK, "TaskTags/*": text, "ContainerInstanceTags/*": text },
      "/v4/stats": { ...STATS, "memory_stats/max_usage": maybe(unsigned) },
      "/v3": { DockerId: text, Name: text, "Limits/CPU": unsigned, "Limits/Memory": unsigned },
      "/v3/taskWithTags": { ...TASK, KnownStatus: status, "Containers/*/DockerId": text },
      "/v2/metadata": {
        ...TASK,
        KnownStatus: status,
        ...each("Containers/*", { DockerId: text, "Limits/CPU": unsigned }),
      },
      [`/v2/stats/${SHOP_WEB.id}`]: STATS,
      "/": { "AvailableCommands/*": text },
    },
    env: { TASK_TAGS: '{"team":"shop"}', CONTAINER_INSTANCE_TAGS: '{"stage":"dev"}' },
  },
  {
    name: "OpenTelemetry Collector, receiver awsecscontainermetrics",
    asks: {
      "/v4/task": {
        ...TASK,
        "Limits/CPU": number,
        "Limits/Memory": unsigned,
        KnownStatus: status,
        LaunchType: text,
        AvailabilityZone: zone,
        PullStartedAt: maybe(time),
        PullStoppedAt: maybe(time),
        ...each("Containers/*", {
          DockerId: text,
          Name: text,
          DockerName: text,
          Image: text,
          ImageID: text,
          "Limits/CPU": number,
          "Limits/Memory": unsigned,
          CreatedAt: time,
          StartedAt: time,
          FinishedAt: maybe(time),
          ExitCode: maybe(integer),
        }),
      },
      "/v4/task/stats": each("*", { ...STATS, ...RATES }),
    },
  },
  {
    name: "OpenTelemetry Collector, detector ecs",
    asks: {
      "/v4/task": {
        ...TASK,
        AvailabilityZone: zone,
        LaunchType: oneOf("EC2", "FARGATE"),
        ...each("Containers/*", {
          DockerId: text,
          Type: oneOf("NORMAL"),
          KnownStatus: status,
          ContainerARN: arn,
          ...LOGS,
        }),
      },
      "/v4": { DockerId: text, ...AWSLOGS },
    },
  },
  {
    name: "OpenTelemetry Collector, processor awsecsattributes",
    asks: {
      "/v4": {
        ContainerARN: arn,
        KnownStatus: status,
        CreatedAt: time,
        ...Object.fromEntries(Object.values(LABEL).map((label) => [label, text])),
      },
    },
  },
  {
    name: "OpenTelemetry JavaScript",
    asks: {
      "/v4": { ContainerARN: arn, ...LOGS, ...AWSLOGS },
      "/v4/task": { ...TASK, LaunchType: text, AvailabilityZone: zone },
    },
  },
  {
    name: "OpenTelemetry Java",
    asks: {
      "/v4": { DockerId: text, DockerName: text, ContainerARN: arn, Image: text, ImageID: text, ...AWSLOGS },
      "/v4/task": { ...TASK, LaunchType: text },
      "/v3": { DockerId: text, DockerName: text, Image: text, ImageID: text },
      "/v3/task": TASK,
    },
  },
  {
    name: "OpenTelemetry .NET",
    asks: { "/v4": { ContainerARN: arn, ...LOGS, ...AWSLOGS }, "/v4/task": { ...TASK, LaunchType: text } },
  },
  {
    name: "OpenTelemetry Go",
    asks: {
      "/v4": {
        ContainerARN: arn,
        "Limits/CPU": number,
        "Limits/Memory": unsigned,
        CreatedAt: time,
        StartedAt: time,
        ...AWSLOGS,
      },
      "/v4/task": { ...TASK, LaunchType: text, AvailabilityZone: zone, "Limits/Memory": unsigned },
    },
  },
  { name: "X-Ray SDK for Java", asks: { "/v4": { ContainerARN: arn, ...LOGS, ...AWSLOGS } } },
  {
    name: "CloudWatch agent",
    asks: Object.fromEntries(
      ["/v4/task", "/v3/task", "/v2/metadata"].map((path) => [path, { Cluster: text, TaskARN: arn }]),
    ),
  },
  {
    name: "Fluent Bit, filter ecs",
    asks: {
      "/v1/metadata": { Cluster: text, ContainerInstanceArn: arn, Version: text },
      ...Object.fromEntries(
        [SHOP_WEB.id, SHOP_WEB.id.slice(0, 12)].map((id) => [
          `/v1/tasks?dockerid=${id}`,
          {
            Arn: arn,
            Family: text,
            Version: text,
            ...each("Containers/*", { DockerId: text, DockerName: text, Name: text }),
          },
        ]),
      ),
    },
  },
  {
    name: "AWS for Fluent Bit, init process",
    asks: { "/v4/task": { ...TASK, AvailabilityZone: zone, LaunchType: text } },
  },
  {
    name: "Embedded metric format for Node.js",
    asks: { "/v3": { Image: text, CreatedAt: time, StartedAt: time, [LABEL.cluster]: text, [LABEL.task]: arn } },
  },
  {
    name: "ecs_exporter",
    asks: {
      "/v4/task": {
        ...TASK,
        DesiredStatus: status,
        KnownStatus: status,
        AvailabilityZone: zone,
        LaunchType: text,
        "Limits/CPU": number,
        "Limits/Memory": unsigned,
        PullStartedAt: maybe(time),
        PullStoppedAt: maybe(time),
        "EphemeralStorageMetrics/Utilized": maybe(unsigned),
        ...each("Containers/*", {
          DockerId: text,
          Name: text,
          RestartCount: maybe(unsigned),
          "Limits/Memory": unsigned,
        }),
      },
      "/v4/task/stats": each("*", STATS),
    },
  },
  {
    name: "Telegraf, input ecs",
    asks: Object.fromEntries(
      ["/v2/metadata", "/v3/task", "/v4/task"].flatMap((path) => [
        [
          path,
          {
            ...TASK,
            "Limits/*?": number,
            PullStartedAt: maybe(time),
            PullStoppedAt: maybe(time),
            ...each("Containers/*", {
              DockerId: text,
              "Limits/*": number,
              CreatedAt: maybe(time),
              StartedAt: maybe(time),
              FinishedAt: maybe(time),
              ...NETWORKS,
            }),
          },
        ],
        [path.startsWith("/v2") ? "/v2/stats" : `${path}/stats`, each("*", STATS)],
      ]),
    ),
  },
  {
    name: "Vector, source aws_ecs_metrics",
    asks: Object.fromEntries(
      ["/v2/stats", "/v3/task/stats", "/v4/task/stats"].map((path) => [
        path,
        each("*", { read: time, ...COUNTERS, ...BLOCKS }),
      ]),
    ),
  },
  {
    name: "Metricbeat, module awsfargate",
    asks: {
      "/v4/task": {
        ...TASK,
        DesiredStatus: status,
        KnownStatus: status,
        ...each("Containers/*", {
          DockerId: text,
          Name: text,
          Image: text,
          "Labels/*": text,
          "Limits/Memory": unsigned,
        }),
      },
      "/v4/task/stats": each("*", STATS),
    },
  },
  {
    name: "New Relic, integration nri-ecs",
    asks: {
      "/v4/task": {
        Cluster: text,
        TaskARN: arn,
        LaunchType: text,
        "Limits/CPU": number,
        "Limits/Memory": number,
        ...each("Containers/*", { DockerId: text, Name: text, "Health/status": maybe(text) }),
      },
      "/v3/task": { Cluster: text, TaskARN: arn, "Containers/*/DockerId": text },
    },
  },
  {
    name: "New Relic, agent for Node.js",
    asks: Object.fromEntries(["/v4", "/v3"].map((path) => [path, { DockerId: text }])),
  },
  {
    name: "SignalFx and Splunk agent",
    asks: {
      "/v2/metadata": {
        ...TASK,
        KnownStatus: status,
        ...each("Containers/*", {
          DockerId: text,
          DockerName: text,
          Image: text,
          KnownStatus: status,
          Type: text,
          "Labels/*": text,
          "Limits/CPU": unsigned,
          ...NETWORKS,
        }),
      },
      "/v2/stats": each("*", STATS),
      [`/v2/stats/${SHOP_WEB.id}`]: STATS,
    },
  },
  {
    name: "SSM agent",
    asks: {
      "/v4/task": { Cluster: text, TaskARN: arn, AvailabilityZone: zone },
      "/v4": { DockerId: text, ...NETWORKS, "Networks/*/IPv4SubnetCIDRBlock": cidr },
      "/v3/task": { Cluster: text, TaskARN: arn },
      "/v3": { DockerId: text, ...NETWORKS },
    },
    env: { ECS_LOCAL_NETWORK_MODE: "awsvpc" },
  },
  {
    name: "ECS Service Connect agent",
    asks: {
      "/v4/task": {
        Cluster: text,
        TaskARN: arn,
        AvailabilityZone: zone,
        ...each("Containers/*", {
          Type: text,
          "Networks/*/NetworkMode": oneOf("awsvpc", "bridge", "host", "none", "default"),
          "Networks/*/IPv4Addresses/*": address,
        }),
      },
      "/v4": { "Limits/CPU": number, "Limits/Memory": number },
    },
    env: { ECS_LOCAL_NETWORK_MODE: "awsvpc" },
  },
  {
    name: "Consul on ECS",
    asks: {
      "/v4/task": {
        Cluster: text,
        TaskARN: arn,
        Family: text,
        AvailabilityZone: zone,
        ...each("Containers/*", {
          Name: text,
          Type: text,
          DesiredStatus: status,
          KnownStatus: status,
          "Health/status": maybe(oneOf("HEALTHY", "UNHEALTHY")),
          "Health/exitCode": maybe(integer),
          ...NETWORKS,
          "Networks/*/PrivateDNSName": maybe(text),
        }),
      },
    },
  },
  {
    name: "users of task scale-in protection",
    asks: {
      [`/api/${SHOP_WEB.id}/task-protection/v1/state`]: each("protection", {
        TaskArn: arn,
        ProtectionEnabled: boolean,
        ExpirationDate: orNull(time),
      }),
    },
  },
  { name: "Pekko and Akka discovery", asks: { "/v3/task": { TaskARN: arn } } },
];
