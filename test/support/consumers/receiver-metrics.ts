const NETWORK = ["bytes", "packets", "errors", "dropped"].flatMap((what) => [
  `network.io.usage.rx_${what}`,
  `network.io.usage.tx_${what}`,
]);

/** All that the collector's receiver awsecscontainermetrics measures, behind `container.` or `ecs.task.`. */
export const MEASURED = [
  ...["total", "kernelmode", "usermode", "system", "vcpu"].map((what) => `cpu.usage.${what}`),
  ...["cores", "onlines", "reserved", "utilized"].map((what) => `cpu.${what}`),
  ...["usage", "usage.max", "usage.limit", "reserved", "utilized"].map((what) => `memory.${what}`),
  ...["network.rate.rx", "network.rate.tx", ...NETWORK],
  ...["storage.read_bytes", "storage.write_bytes"],
];

/**
 * Those that no container has zero of that computes and uses its network. Not among them: what cgroup v2 and Podman do
 * not count (the most memory used, each CPU's share, packets), and what may be less than its unit.
 */
export const POSITIVE = [
  ...["total", "system", "vcpu"].map((what) => `cpu.usage.${what}`),
  ...["cpu.onlines", "cpu.reserved", "cpu.utilized", "memory.usage", "memory.usage.limit"],
  ...["network.rate.rx", "network.rate.tx", "network.io.usage.rx_bytes", "network.io.usage.tx_bytes"],
];
