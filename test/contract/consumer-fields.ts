import {
  address,
  arn,
  type Fields,
  integer,
  maybe,
  number,
  oneOf,
  status,
  text,
  time,
  unsigned,
  zone,
} from "../support/consumers/fields.ts";

/** The same fields of each item at a place. */
export const each = (place: string, fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).map(([field, kind]) => [`${place}/${field}`, kind]));

export const LABEL = {
  cluster: "Labels/com.amazonaws.ecs.cluster",
  name: "Labels/com.amazonaws.ecs.container-name",
  task: "Labels/com.amazonaws.ecs.task-arn",
  family: "Labels/com.amazonaws.ecs.task-definition-family",
  version: "Labels/com.amazonaws.ecs.task-definition-version",
};
export const TASK: Fields = { Cluster: text, TaskARN: arn, Family: text, Revision: text };
export const LOGS: Fields = { LogDriver: text, "LogOptions/*?": text };
export const AWSLOGS: Fields = {
  "LogOptions/awslogs-group": maybe(text),
  "LogOptions/awslogs-region": maybe(text),
  "LogOptions/awslogs-stream": maybe(text),
};
export const NETWORKS: Fields = { "Networks/*/NetworkMode": text, "Networks/*/IPv4Addresses/*": address };

const CPU: Fields = {
  "cpu_usage/total_usage": unsigned,
  "cpu_usage/usage_in_kernelmode": unsigned,
  "cpu_usage/usage_in_usermode": unsigned,
  system_cpu_usage: unsigned,
  online_cpus: unsigned,
};
export const COUNTERS: Fields = Object.fromEntries(
  ["rx", "tx"].flatMap((way) =>
    ["bytes", "packets", "errors", "dropped"].map((what) => [`networks/*?/${way}_${what}`, unsigned]),
  ),
);
const MEMORY: Fields = {
  "memory_stats/usage": unsigned,
  "memory_stats/limit": unsigned,
  "memory_stats/stats/*?": unsigned,
};
export const BLOCKS: Fields = each("blkio_stats/io_service_bytes_recursive/*?", {
  major: unsigned,
  minor: unsigned,
  op: oneOf("Read", "Write", "Sync", "Async", "Discard", "Total"),
  value: unsigned,
});
export const STATS: Fields = {
  id: text,
  name: text,
  read: time,
  preread: time,
  ...each("cpu_stats", CPU),
  ...each("precpu_stats", CPU),
  ...MEMORY,
  ...COUNTERS,
  ...BLOCKS,
};
export const RATES: Fields = {
  "network_rate_stats/rx_bytes_per_sec": number,
  "network_rate_stats/tx_bytes_per_sec": number,
};

export const DATADOG_CONTAINER: Fields = {
  DockerId: text,
  Name: text,
  DockerName: text,
  Image: text,
  ImageID: text,
  Type: text,
  "Labels/*": text,
  DesiredStatus: status,
  KnownStatus: status,
  "Limits/CPU": unsigned,
  "Limits/Memory": unsigned,
  CreatedAt: time,
  StartedAt: time,
  ...NETWORKS,
  ...each("Ports/*?", { ContainerPort: unsigned, Protocol: text, HostPort: unsigned, HostIp: text }),
  ...LOGS,
  ContainerARN: arn,
  "Health/status": maybe(text),
  "Health/statusSince": maybe(time),
  "Health/exitCode": maybe(integer),
  "Volumes/*?/Destination": text,
  ExitCode: maybe(integer),
  RestartCount: maybe(unsigned),
  Snapshotter: maybe(text),
};

export const DATADOG_TASK: Fields = {
  ...TASK,
  DesiredStatus: status,
  KnownStatus: status,
  LaunchType: text,
  AvailabilityZone: zone,
  "Limits/CPU": number,
  "Limits/Memory": unsigned,
  VPCID: maybe(text),
  ServiceName: maybe(text),
  ...each("Containers/*", { DockerId: text, "Limits/CPU": unsigned, "Limits/Memory": unsigned, KnownStatus: status }),
};
