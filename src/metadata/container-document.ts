import type { JsonObject } from "../config/json-file.ts";
import type { NetworkMode } from "../config/task.ts";
import type { Container, Endpoint } from "../engine/container.ts";
import { isCalled, type Network } from "../engine/container-store.ts";
import { contains } from "../engine/ip-address.ts";
import { containerArnOf, taskIdOf } from "./arn.ts";
import { containerDefinitionOf } from "./match-definition.ts";
import { LABELS, type TaskDescription } from "./task.ts";
import type { ContainerDefinition } from "./task-definition.ts";

/** V2 and V3 share one form; V4 is that and more. */
export type DocumentVersion = "v3" | "v4";

/** Where Docker's own name server answers in a network that a user made. */
const EMBEDDED_DNS = "127.0.0.11";
const WITHOUT_DNS: readonly string[] = ["bridge", "host", "none"];

const OUTPUT_BYTES_MAX = 1024;

/**
 * The document of one container. The keys are in the agent's order, which is another for V4; a key whose value is
 * undefined is left out (task-endpoints 2.2). What the task's definition says of the container stands before what the
 * engine says; its labels stand before both.
 *
 * @param networks those of the engine; needed where the mode is `awsvpc`
 */
export function containerDocument(
  facts: Container,
  task: TaskDescription,
  version: DocumentVersion,
  networks: readonly Network[],
): JsonObject {
  const definition = containerDefinitionOf(task.definition, facts);
  const name = facts.labels[LABELS.containerName] || definition?.name || facts.name;
  const exited = !facts.running && facts.finishedAt !== undefined;
  const status = knownStatus(facts);
  const Networks = orAbsent(networkDocuments(facts, task.networkMode, version, networks));
  const Health = healthOf(facts) ?? (definition?.hasHealthCheck ? {} : undefined);
  const Volumes = orAbsent(
    facts.mounts.map((mount) => ({
      DockerName: mount.name || undefined,
      Source: mount.source || undefined,
      Destination: mount.destination || undefined,
    })),
  );
  return {
    DockerId: facts.id,
    Name: name,
    DockerName: facts.name,
    Image: facts.image,
    ImageID: facts.imageId,
    Ports: orAbsent(
      facts.ports.map((port) => ({
        ContainerPort: port.containerPort,
        Protocol: port.protocol,
        // The network interface of such a task is its own: what is published there is the port itself.
        HostPort: (task.networkMode === "awsvpc" ? port.containerPort : port.hostPort) || undefined,
        HostIp: (version === "v4" && port.hostIp) || undefined,
      })),
    ),
    Labels: labelsOf(facts, task, name, definition),
    DesiredStatus: status === "STOPPED" ? "STOPPED" : "RUNNING",
    KnownStatus: status,
    ExitCode: exited ? facts.exitCode : undefined,
    Limits: {
      CPU: cpuUnits(facts, definition),
      Memory: definition?.memoryMiB ?? Math.floor(facts.memoryBytes / 1_048_576),
    },
    CreatedAt: facts.createdAt,
    StartedAt: facts.startedAt,
    FinishedAt: facts.finishedAt,
    Type: "NORMAL",
    ...(version === "v3"
      ? { Networks, Health, Volumes }
      : {
          Health,
          Volumes,
          ...logOf(facts, task, name, definition),
          ContainerARN: containerArnOf(task.taskArn, task.cluster, facts.id),
          Networks,
          Snapshotter: facts.snapshotter,
          RestartCount: facts.restarts || definition?.restarts ? facts.restartCount : undefined,
        }),
  };
}

function healthOf({ health }: Container): JsonObject | undefined {
  return (
    health && {
      status: health.status,
      statusSince: health.since,
      exitCode: health.exitCode || undefined,
      output: firstBytes(health.output, OUTPUT_BYTES_MAX) || undefined,
    }
  );
}

/** Driver and options, with the stream that ECS makes of its prefix: `<prefix>/<container>/<task id>`. */
function logOf(
  facts: Container,
  task: TaskDescription,
  name: string,
  definition: ContainerDefinition | undefined,
): JsonObject {
  const { driver, options } = definition?.log ?? { driver: facts.logDriver, options: facts.logOptions };
  const shown = Object.entries(options).map(([key, value]) =>
    key === "awslogs-stream-prefix" ? ["awslogs-stream", `${value}/${name}/${taskIdOf(task.taskArn)}`] : [key, value],
  );
  return { LogDriver: driver || undefined, LogOptions: shown.length > 0 ? Object.fromEntries(shown) : undefined };
}

/** All labels of the container, and those of its definition and of the five that it lacks. */
function labelsOf(
  facts: Container,
  task: TaskDescription,
  name: string,
  definition: ContainerDefinition | undefined,
): Readonly<Record<string, string>> {
  const ofTask: Record<string, string> = {
    [LABELS.cluster]: task.cluster,
    [LABELS.containerName]: name,
    [LABELS.taskArn]: task.taskArn,
    [LABELS.family]: task.family,
    [LABELS.revision]: task.revision,
  };
  // An empty one of the five counts as lacking.
  const own = Object.entries(facts.labels).filter(([label, value]) => value !== "" || !Object.hasOwn(ofTask, label));
  return { ...definition?.dockerLabels, ...ofTask, ...Object.fromEntries(own) };
}

/** A text cut to so many bytes of UTF-8, and never within a character. */
function firstBytes(text: string, bytesMax: number): string {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, bytesMax), { stream: true });
}

/** The agent's rule (task-endpoints 2.5): a paused container runs. */
export function knownStatus(facts: Container): "RUNNING" | "STOPPED" | "CREATED" {
  if (facts.running) return "RUNNING";
  if (facts.dead) return "STOPPED";
  return facts.startedAt === undefined && facts.error === "" ? "CREATED" : "STOPPED";
}

/** CPU units, 1024 to a CPU. ECS sets Docker's shares to them with a floor of 2, which the agent shows for none. */
function cpuUnits(facts: Container, definition: ContainerDefinition | undefined): number {
  return Math.max(2, definition?.cpu ?? (facts.cpuShares || Math.round((facts.nanoCpus / 1e9) * 1024)));
}

function orAbsent<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

/**
 * The networks of a container, as its document has them (task-endpoints 2.4). Their mode is the network's name unless
 * one is configured; with `awsvpc` V4 has what the agent says of a network interface.
 */
export function networkDocuments(
  facts: Container,
  mode: NetworkMode | undefined,
  version: DocumentVersion,
  networks: readonly Network[],
): JsonObject[] {
  return facts.endpoints.map((endpoint, index) => ({
    NetworkMode: mode ?? endpoint.name,
    IPv4Addresses: endpoint.ipv4 === undefined ? undefined : [endpoint.ipv4],
    IPv6Addresses: endpoint.ipv6 === undefined ? undefined : [endpoint.ipv6],
    ...(mode === "awsvpc" && version === "v4" ? interfaceProperties(facts, endpoint, index, networks) : {}),
  }));
}

function interfaceProperties(
  facts: Container,
  endpoint: Endpoint,
  index: number,
  networks: readonly Network[],
): JsonObject {
  const subnets = networks.find((network) => isCalled(network, endpoint.networkId))?.subnets ?? [];
  const { ipv4, ipv6 } = endpoint;
  const servers = facts.dns.length > 0 ? facts.dns : hasEmbeddedDns(endpoint) ? [EMBEDDED_DNS] : [];
  return {
    AttachmentIndex: index,
    MACAddress: endpoint.macAddress,
    IPv4SubnetCIDRBlock: ipv4 && subnets.find((subnet) => contains(subnet, ipv4)),
    IPv6SubnetCIDRBlock: ipv6 && subnets.find((subnet) => contains(subnet, ipv6)),
    DomainNameServers: servers.length > 0 ? servers : undefined,
    DomainNameSearchList: facts.dnsSearch.length > 0 ? facts.dnsSearch : undefined,
    SubnetGatewayIpv4Address: endpoint.ipv4Gateway,
    SubnetGatewayIpv6Address: endpoint.ipv6Gateway,
  };
}

/** Podman does not say at which address its name server is. */
function hasEmbeddedDns({ name, networkId }: Endpoint): boolean {
  return !WITHOUT_DNS.includes(name) && networkId !== name;
}
