import { type Health, toHealth } from "./health.ts";
import { canonicalAddress } from "./ip-address.ts";
import type { Inspect } from "./schema.ts";
import { toTime } from "./time.ts";

const DEFAULT_PERIOD_US = 100_000;

interface PublishedPort {
  readonly containerPort: number;
  readonly protocol: string;
  readonly hostPort: number;
  /** The address that it is published on; unspecified for all. */
  readonly hostIp?: string;
}

/**
 * A container as the engine described it at one moment. It is replaced and never changed, so that whatever was made
 * from it can be kept as long as it is the same object. Times are the engine's own text, with its nanoseconds.
 */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: string | undefined;
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
  readonly running: boolean;
  readonly dead: boolean;
  /** Whether the engine starts it again when it has ended. */
  readonly restarts: boolean;
  /** How often the engine has started it again. */
  readonly restartCount: number;
  readonly exitCode: number;
  readonly error: string;
  /** Undefined if the container has no health check. */
  readonly health: Health | undefined;
  /** Docker's relative weight; ECS sets it to the CPU units. 0 if none was asked for. */
  readonly cpuShares: number;
  /** The limit of CPUs, in billionths of one; 0 for none. Podman says one that is given as a quota so, Docker does not. */
  readonly nanoCpus: number;
  readonly memoryBytes: number;
  /** The container whose network namespace it shares (id or name), if any. */
  readonly networkOwner: string | undefined;
  readonly ports: readonly PublishedPort[];
  readonly endpoints: readonly Endpoint[];
  readonly logDriver: string;
  readonly logOptions: Readonly<Record<string, string>>;
  /** The name servers and search domains that were asked for; none where the engine's own serve. */
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  /** The snapshotter of its image store, on engines that say it. */
  readonly snapshotter: string | undefined;
  readonly mounts: readonly { readonly name: string; readonly source: string; readonly destination: string }[];
}

/** The engine's inspect document in our words. */
export function toContainer(inspect: Inspect): Container {
  const { State: state, HostConfig: host, NetworkSettings: settings } = inspect;
  const mode = host.NetworkMode ?? "";
  return {
    id: inspect.Id,
    name: inspect.Name.replace(/^\//, ""),
    image: inspect.Config.Image ?? "",
    imageId: inspect.Image,
    labels: inspect.Config.Labels ?? {},
    createdAt: toTime(inspect.Created),
    startedAt: toTime(state.StartedAt),
    finishedAt: toTime(state.FinishedAt),
    running: state.Running,
    dead: state.Dead ?? false,
    restarts: !["", "no"].includes(host.RestartPolicy?.Name ?? ""),
    restartCount: inspect.RestartCount ?? 0,
    exitCode: state.ExitCode ?? 0,
    error: state.Error ?? "",
    health: inspect.Config.Healthcheck ? toHealth(inspect) : undefined,
    cpuShares: host.CpuShares ?? 0,
    nanoCpus: host.NanoCpus || nanoCpusOf(host.CpuQuota ?? 0, host.CpuPeriod ?? 0),
    memoryBytes: host.Memory ?? 0,
    networkOwner: mode.startsWith("container:") ? mode.slice("container:".length) : undefined,
    ports: toPorts(settings?.Ports ?? {}),
    endpoints: toEndpoints(settings?.Networks ?? {}, mode),
    logDriver: host.LogConfig?.Type ?? "",
    logOptions: host.LogConfig?.Config ?? {},
    dns: host.Dns ?? [],
    dnsSearch: host.DnsSearch ?? [],
    snapshotter: inspect.Storage?.RootFS?.Snapshot?.Name || undefined,
    mounts: toMounts(inspect.Mounts ?? []),
  };
}

/** The limit of CPUs as a quota of a period, both in microseconds, by the kernel's own period by default. */
function nanoCpusOf(quota: number, period: number): number {
  return quota > 0 ? Math.round((quota / (period || DEFAULT_PERIOD_US)) * 1e9) : 0;
}

type PortMap = NonNullable<NonNullable<Inspect["NetworkSettings"]>["Ports"]>;

/** Published ports only, in the order of their numbers: the engine's own order changes from answer to answer. */
function toPorts(ports: PortMap): PublishedPort[] {
  return Object.entries(ports)
    .flatMap(([key, bindings]) => {
      const [port, protocol] = key.split("/");
      return (bindings ?? []).map((binding) => ({
        containerPort: Number(port),
        protocol: protocol ?? "tcp",
        hostPort: Number(binding.HostPort ?? 0),
        // Podman leaves it empty for all.
        hostIp: binding.HostIp || "0.0.0.0",
      }));
    })
    .sort(
      (a, b) =>
        a.containerPort - b.containerPort ||
        byText(a.protocol, b.protocol) ||
        a.hostPort - b.hostPort ||
        byText(a.hostIp, b.hostIp),
    );
}

/** In the order of their places: the engine's own order changes from answer to answer. */
function toMounts(mounts: NonNullable<Inspect["Mounts"]>): Container["mounts"] {
  return mounts
    .map(({ Name, Source, Destination }) => ({
      name: Name ?? "",
      source: Source ?? "",
      destination: Destination ?? "",
    }))
    .sort((a, b) => byText(a.destination, b.destination));
}

/** By the codes of the characters, so that IPv4 addresses come before IPv6 ones, whatever the locale. */
function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

export interface Endpoint {
  readonly name: string;
  /** The id of its network, or the name if the engine gives no id. */
  readonly networkId: string;
  readonly ipv4: string | undefined;
  readonly ipv6: string | undefined;
  readonly gateways: readonly string[];
  /** The gateway with the length of its network's prefix, as in `10.0.2.1/24`. */
  readonly ipv4Gateway?: string | undefined;
  readonly ipv6Gateway?: string | undefined;
  /** Lower case, as the kernel writes it. */
  readonly macAddress: string | undefined;
  /** The names that the network's DNS has for it beside its own. */
  readonly aliases?: readonly string[];
}

type InspectNetworks = NonNullable<NonNullable<Inspect["NetworkSettings"]>["Networks"]>;

/**
 * A container's endpoint on each of its networks.
 *
 * @param mode its network mode, as `bridge`, `host` or `container:<id>`
 */
function toEndpoints(networks: InspectNetworks, mode: string): Endpoint[] {
  return Object.entries(withMode(networks, mode)).map(([name, endpoint]) => ({
    ...toNetwork(name, endpoint.NetworkID ?? ""),
    ipv4: endpoint.IPAddress || undefined,
    ipv6: endpoint.GlobalIPv6Address ? canonicalAddress(endpoint.GlobalIPv6Address) : undefined,
    gateways: [endpoint.Gateway, endpoint.IPv6Gateway].filter((g): g is string => !!g).map(canonical),
    ipv4Gateway: withPrefix(endpoint.Gateway, endpoint.IPPrefixLen),
    ipv6Gateway: withPrefix(endpoint.IPv6Gateway, endpoint.GlobalIPv6PrefixLen),
    macAddress: endpoint.MacAddress?.toLowerCase() || undefined,
    aliases: endpoint.Aliases ?? [],
  }));
}

/** Docker has the networks `host` and `none`; Podman has them as modes only. */
function withMode(networks: InspectNetworks, mode: string): InspectNetworks {
  const isModeOnly = ["host", "none"].includes(mode) && Object.keys(networks).length === 0;
  return isModeOnly ? { [mode]: { NetworkID: mode } } : networks;
}

/**
 * Podman calls a network by its name where Docker has its id, and its default network otherwise than in its list of
 * networks, where that is `bridge` as in Docker.
 */
function toNetwork(name: string, networkId: string): Pick<Endpoint, "name" | "networkId"> {
  const isDefault = name === "podman" && networkId === name;
  return isDefault ? { name: "bridge", networkId: "bridge" } : { name, networkId };
}

function withPrefix(gateway: string | null | undefined, length: number | null | undefined): string | undefined {
  return gateway && length ? `${canonical(gateway)}/${length}` : undefined;
}

/** An IPv4 address has one form only. */
function canonical(address: string): string {
  return address.includes(":") ? canonicalAddress(address) : address;
}
