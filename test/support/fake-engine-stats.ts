import type { ContainerDocument } from "./containers.ts";

export interface FrameOptions {
  /** Docker's documents differ by the machine's cgroups; without either, what is in both. */
  readonly cgroup?: 1 | 2;
  /** Podman 4's document: `Id`, a name without its slash, one interface, no details of memory. */
  readonly podman?: boolean;
  /** Leaves out the counters that clients read without asking whether they are there. */
  readonly sparse?: boolean;
  /** What each interface has received by the `count`th frame. */
  readonly rxBytes?: (count: number) => bigint;
  /** The `count`th frame is read so many seconds after this time, in milliseconds; without it, now. */
  readonly since?: number;
  /** The frame that is sent again and again once it was its turn. */
  readonly last?: number;
}

const MAX = "18446744073709551615";
const BLOCK_COUNTERS = [
  "io_serviced",
  "io_queue",
  "io_service_time",
  "io_wait_time",
  "io_merged",
  "io_time",
  "sectors",
];

/** One frame of a stream of statistics, the `count`th. As text: the counters are 64 bits wide, more than a number of JavaScript holds. */
export function statsFrame(document: ContainerDocument, count: number, options: FrameOptions = {}): string {
  const { Id, Name } = document;
  const { cgroup, podman, since } = options;
  const at = (n: number) => {
    const ms = since === undefined ? Date.now() + (n - count) * 1_000 : since + n * 1_000;
    return new Date(ms).toISOString().replace("Z", "254284Z");
  };
  const networks = interfaces(document, count, options);
  const identity = podman ? `"name":"${Name.slice(1)}","Id":"${Id}"` : `"name":"${Name}","id":"${Id}"`;
  return (
    `{"read":"${at(count)}","preread":"${count === 0 ? "0001-01-01T00:00:00Z" : at(count - 1)}",` +
    `"pids_stats":{"current":3,"limit":${MAX}},"blkio_stats":{${block(options)}},"num_procs":0,"storage_stats":{},` +
    `"cpu_stats":${cpu(count, options)},"precpu_stats":${count === 0 ? NO_CPU : cpu(count - 1, options)},` +
    `"memory_stats":{"usage":1806336,${cgroup === 1 ? `"max_usage":${MAX},` : ""}` +
    `${podman ? "" : `"stats":{${memory(cgroup)}},`}"limit":9223372036854771712},${identity}` +
    `${networks.length > 0 ? `,"networks":{${networks.join(",")}}` : ""}}`
  );
}

const NO_CPU =
  '{"cpu_usage":{"total_usage":0,"usage_in_kernelmode":0,"usage_in_usermode":0},"throttling_data":{"periods":0,"throttled_periods":0,"throttled_time":0}}';

function cpu(n: number, { cgroup, sparse }: FrameOptions): string {
  const each = cgroup === 1 ? `,"percpu_usage":[${MAX},0]` : "";
  const modes = sparse ? "" : ',"usage_in_kernelmode":40000000,"usage_in_usermode":290000000';
  return (
    `{"cpu_usage":{"total_usage":${9_007_199_254_740_993n + BigInt(n)}${each}${modes}},` +
    `"system_cpu_usage":${13_939_680_000_000 + n * 1_000_000},"online_cpus":2,"throttling_data":{"periods":0,"throttled_periods":0,"throttled_time":0}}`
  );
}

function memory(cgroup: FrameOptions["cgroup"]): string {
  if (cgroup === 1) return `"active_anon":606208,"cache":0,"hierarchical_memory_limit":9223372036854771712,"rss":53248`;
  return `"active_anon":606208${cgroup === 2 ? ',"anon":45056,"file":0,"inactive_file":0' : ""}`;
}

function block({ cgroup, sparse }: FrameOptions): string {
  const none = cgroup === 1 ? "[]" : "null";
  const entry = (op: string) => `{"major":8,"minor":0,"op":"${op}"${sparse ? "" : `,"value":${MAX}`}}`;
  const operations = { 1: ["Read", "Write", "Total"], 2: ["read", "write"] };
  const bytes = cgroup === undefined ? "null" : `[${operations[cgroup].map(entry).join(",")}]`;
  return [`"io_service_bytes_recursive":${bytes}`, ...BLOCK_COUNTERS.map((name) => `"${name}_recursive":${none}`)].join(
    ",",
  );
}

function interfaces({ NetworkSettings }: ContainerDocument, count: number, options: FrameOptions): string[] {
  const names = Object.keys(NetworkSettings.Networks).map((_, index) => `eth${index}`);
  const received = options.rxBytes?.(count) ?? 1_112 + count * 100;
  const rest = ["packets", "errors", "dropped"];
  const more = (way: string) => (options.sparse ? "" : rest.map((what) => `,"${way}_${what}":0`).join(""));
  return (options.podman ? ["network"] : names).map(
    (name) => `"${name}":{"rx_bytes":${received}${more("rx")},"tx_bytes":${84 + count * 50}${more("tx")}}`,
  );
}
