import { createHash } from "node:crypto";

/** A container's part in a network, as far as a test or a faithful engine needs the document. */
export interface EndpointDocument {
  NetworkID: string;
  IPAddress: string;
  IPPrefixLen: number;
  Gateway: string;
  GlobalIPv6Address: string;
  GlobalIPv6PrefixLen: number;
  IPv6Gateway: string;
  MacAddress: string;
  Aliases: string[] | null;
}

export type ContainerDocument = ReturnType<typeof container>;

const ZERO_TIME = "0001-01-01T00:00:00Z";

/** 64 hex digits that are always the same for one text, so that a failure reads the same twice. */
export function hexId(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export interface ContainerOptions {
  name: string;
  id?: string;
  image?: string;
  labels?: Record<string, string>;
  running?: boolean;
  exitCode?: number;
  createdAt?: string;
  startedAt?: string;
  finishedAt?: string;
  memoryBytes?: number;
  cpuShares?: number;
  nanoCpus?: number;
  networkMode?: string;
  restartPolicy?: string;
  /** Lines of `NAME=value`. */
  env?: string[];
  /** `{ test, status, log }` of a health check; without it the container has none. */
  health?: {
    test?: string[];
    status: string;
    log?: { Start: string; End: string; ExitCode: number; Output: string }[];
  };
  ports?: Record<string, { HostIp: string; HostPort: string }[] | null>;
  mounts?: { Type: string; Name?: string; Source: string; Destination: string; Mode: string; RW: boolean }[];
}

/** What `docker inspect` says of a running container without a network: give it some with {@link withNetwork} of networks.ts. */
export function container(options: ContainerOptions) {
  const {
    name,
    id = hexId(`container ${name}`),
    image = "alpine:3.20",
    running = true,
    exitCode = 0,
    health,
  } = options;
  const startedAt = options.startedAt ?? "2026-01-02T03:04:05.678901234Z";
  const networks: Record<string, EndpointDocument> = {};
  return {
    Id: id,
    Name: `/${name}`,
    Created: options.createdAt ?? "2026-01-02T03:04:05.123456789Z",
    Image: `sha256:${hexId(`image ${image}`)}`,
    State: {
      Status: running ? "running" : startedAt === ZERO_TIME ? "created" : "exited",
      Running: running,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      Pid: running ? 4242 : 0,
      ExitCode: exitCode,
      Error: "",
      StartedAt: startedAt,
      FinishedAt: options.finishedAt ?? (running || startedAt === ZERO_TIME ? ZERO_TIME : "2026-01-02T04:00:00.5Z"),
      ...(health ? { Health: { Status: health.status, FailingStreak: 0, Log: health.log ?? [] } } : {}),
    },
    Config: {
      Hostname: id.slice(0, 12),
      Image: image,
      Labels: { ...options.labels },
      ...(options.env ? { Env: options.env } : {}),
      ...(health ? { Healthcheck: { Test: health.test ?? ["CMD", "true"] } } : {}),
    },
    HostConfig: {
      NetworkMode: options.networkMode ?? "default",
      Memory: options.memoryBytes ?? 0,
      CpuShares: options.cpuShares ?? 0,
      NanoCpus: options.nanoCpus ?? 0,
      LogConfig: { Type: "json-file", Config: {} as Record<string, string> },
      RestartPolicy: { Name: options.restartPolicy ?? "no", MaximumRetryCount: 0 },
    },
    NetworkSettings: { Ports: { ...options.ports }, Networks: networks },
    Mounts: options.mounts ?? [],
  };
}

export function withLabels(document: ContainerDocument, labels: Record<string, string>): ContainerDocument {
  return { ...document, Config: { ...document.Config, Labels: { ...document.Config.Labels, ...labels } } };
}

/** The same container as a member of a Compose project. */
export function withComposeProject(document: ContainerDocument, project: string, service: string): ContainerDocument {
  return withLabels(document, { "com.docker.compose.project": project, "com.docker.compose.service": service });
}

/** What a list says of a container: less than its inspect document. */
export function summary({
  Id,
  Name,
  Image,
  Config,
  State,
  Created,
  HostConfig,
  NetworkSettings,
  Mounts,
}: ContainerDocument) {
  return {
    Id,
    Names: [Name],
    Image: Config.Image,
    ImageID: Image,
    Created: Math.floor(Date.parse(Created) / 1000),
    Labels: Config.Labels,
    State: State.Status,
    Status: State.Running ? "Up 2 minutes" : `Exited (${State.ExitCode})`,
    HostConfig: { NetworkMode: HostConfig.NetworkMode },
    NetworkSettings: { Networks: NetworkSettings.Networks },
    Mounts,
  };
}
