import type { Inspect } from "./schema.ts";

export interface PublishedPort {
  readonly containerPort: number;
  readonly protocol: string;
  readonly hostPort: number;
}

export interface Attachment {
  readonly name: string;
  readonly networkId: string;
  readonly ipv4: string | undefined;
  readonly ipv6: string | undefined;
  readonly gateways: readonly string[];
  /** Lower case, as the kernel writes it. */
  readonly macAddress: string | undefined;
}

export interface Health {
  readonly status: "HEALTHY" | "UNHEALTHY" | undefined;
  readonly since: string | undefined;
  readonly exitCode: number;
  readonly output: string;
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
  readonly exitCode: number;
  readonly error: string;
  /** Undefined where the container has no health check. */
  readonly health: Health | undefined;
  /** Docker's relative weight; ECS sets it to the CPU units. 0 where none was asked for. */
  readonly cpuShares: number;
  readonly nanoCpus: number;
  readonly memoryBytes: number;
  /** The container whose network namespace it shares (id or name), if any. */
  readonly networkOwner: string | undefined;
  readonly ports: readonly PublishedPort[];
  readonly attachments: readonly Attachment[];
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
    exitCode: state.ExitCode ?? 0,
    error: state.Error ?? "",
    health: toHealth(inspect),
    cpuShares: host.CpuShares ?? 0,
    nanoCpus: host.NanoCpus ?? 0,
    memoryBytes: host.Memory ?? 0,
    networkOwner: mode.startsWith("container:") ? mode.slice("container:".length) : undefined,
    ports: toPorts(settings?.Ports ?? {}),
    attachments: Object.entries(settings?.Networks ?? {}).map(([name, endpoint]) => ({
      name,
      networkId: endpoint.NetworkID ?? "",
      ipv4: endpoint.IPAddress || undefined,
      ipv6: endpoint.GlobalIPv6Address ? canonicalAddress(endpoint.GlobalIPv6Address) : undefined,
      gateways: [endpoint.Gateway, endpoint.IPv6Gateway].filter((g): g is string => !!g).map(canonicalAddress),
      macAddress: endpoint.MacAddress?.toLowerCase() || undefined,
    })),
    mounts: (inspect.Mounts ?? []).map((mount) => ({
      name: mount.Name ?? "",
      source: mount.Source ?? "",
      destination: mount.Destination ?? "",
    })),
  };
}

/**
 * One spelling for each address: an IPv4 address in IPv6 clothes (`::ffff:10.0.0.2`, what a dual-stack socket reports)
 * is itself again, a zone is dropped, IPv6 is compressed as RFC 5952 has it.
 */
export function canonicalAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1]) return mapped[1];
  if (!address.includes(":")) return address;
  const host = URL.parse(`http://[${address.replace(/[%/].*$/, "")}]/`)?.hostname;
  return host ? host.slice(1, -1) : address;
}

/** RFC 3339 in UTC with the fraction's trailing zeros cut, as the agent writes it; the zero time is no time. */
function toTime(time: string | null | undefined): string | undefined {
  if (!time || time.startsWith("0001-01-01")) return undefined;
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(time);
  if (!parts) return undefined;
  const [, whole, fraction, zone] = parts;
  // Podman writes local time. Only the whole seconds go through Date, which would cut the fraction to milliseconds.
  const seconds = zone === "Z" ? whole : new Date(`${whole}${zone}`).toISOString().slice(0, 19);
  const digits = (fraction ?? "").slice(0, 9).replace(/0+$/, "");
  return digits === "" ? `${seconds}Z` : `${seconds}.${digits}Z`;
}

/** The values of the last result; `since` is the end of the oldest logged result of the present streak. */
function toHealth(inspect: Inspect): Health | undefined {
  const test = inspect.Config.Healthcheck?.Test;
  if (!test || test.length === 0 || test[0] === "NONE") return undefined;
  const health = inspect.State.Health;
  const status = { healthy: "HEALTHY", unhealthy: "UNHEALTHY" }[health?.Status ?? ""] as Health["status"];
  const log = health?.Log ?? [];
  const last = log.at(-1);
  if (!status || !last) return { status, since: undefined, exitCode: 0, output: "" };
  let since = last.End;
  for (const result of log.toReversed()) {
    if ((result.ExitCode === 0) !== (last.ExitCode === 0)) break;
    since = result.End;
  }
  return { status, since: toTime(since), exitCode: last.ExitCode ?? 0, output: last.Output ?? "" };
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
      }));
    })
    .sort(
      (a, b) => a.containerPort - b.containerPort || a.protocol.localeCompare(b.protocol) || a.hostPort - b.hostPort,
    );
}
