import type { ContainerDocument } from "./containers.ts";

/** One frame of a stream of statistics, the `count`th. As text: the counters are 64 bits wide, more than a number of JavaScript holds. */
export function statsFrame({ Id, Name, NetworkSettings }: ContainerDocument, count: number): string {
  const at = (n: number) => new Date(Date.now() + (n - count) * 1_000).toISOString().replace("Z", "254284Z");
  const cpu = (n: number) =>
    `{"cpu_usage":{"total_usage":${9_007_199_254_740_993n + BigInt(n)},"usage_in_kernelmode":40000000,"usage_in_usermode":290000000},` +
    `"system_cpu_usage":${13_939_680_000_000 + n * 1_000_000},"online_cpus":2,"throttling_data":{"periods":0,"throttled_periods":0,"throttled_time":0}}`;
  const noCpu =
    '{"cpu_usage":{"total_usage":0,"usage_in_kernelmode":0,"usage_in_usermode":0},"throttling_data":{"periods":0,"throttled_periods":0,"throttled_time":0}}';
  const interfaces = Object.keys(NetworkSettings.Networks).map(
    (_, index) =>
      `"eth${index}":{"rx_bytes":${1_112 + count * 100},"rx_packets":12,"rx_errors":0,"rx_dropped":0,` +
      `"tx_bytes":${84 + count * 50},"tx_packets":2,"tx_errors":0,"tx_dropped":0}`,
  );
  const blkio = [
    "io_service_bytes",
    "io_serviced",
    "io_queue",
    "io_service_time",
    "io_wait_time",
    "io_merged",
    "io_time",
  ];
  const entries = [...blkio.map((name) => `"${name}_recursive":null`), '"sectors_recursive":null'];
  return (
    `{"read":"${at(count)}","preread":"${count === 0 ? "0001-01-01T00:00:00Z" : at(count - 1)}",` +
    `"pids_stats":{"current":3,"limit":18446744073709551615},"blkio_stats":{${entries.join(",")}},"num_procs":0,"storage_stats":{},` +
    `"cpu_stats":${cpu(count)},"precpu_stats":${count === 0 ? noCpu : cpu(count - 1)},` +
    `"memory_stats":{"usage":1806336,"stats":{"active_anon":606208},"limit":9223372036854771712},"name":"${Name}","id":"${Id}"` +
    `${interfaces.length > 0 ? `,"networks":{${interfaces.join(",")}}` : ""}}`
  );
}
