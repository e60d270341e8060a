import type { TaskDefaults } from "../config.ts";
import type { Container } from "../engine/container.ts";
import { type JsonObject, mergeOver } from "./overrides.ts";
import { describeTask, LABELS } from "./task.ts";

export interface BodyOptions {
  readonly task: TaskDefaults;
  readonly taskOverride?: JsonObject | undefined;
  readonly containerOverride?: JsonObject | undefined;
}

export interface Bodies {
  /** The V2 and V3 document of a container, as JSON text. */
  readonly container: (container: Container) => string;
  /** The V2 and V3 document of a task; `member` is one whose labels describe it. */
  readonly task: (member: Container | undefined, members: readonly Container[]) => string;
}

/** Makes the documents. A container is serialised once: it is replaced when it changes, see {@link Container}. */
export function createBodies(options: BodyOptions): Bodies {
  const made = new WeakMap<Container, string>();

  function container(facts: Container): string {
    const known = made.get(facts);
    if (known !== undefined) return known;
    const body = JSON.stringify(mergeOver(containerDocument(facts, options.task), options.containerOverride));
    made.set(facts, body);
    return body;
  }

  function task(member: Container | undefined, members: readonly Container[]): string {
    const { cluster, taskArn, family, revision } = describeTask(member, options.task);
    const document = {
      Cluster: cluster,
      TaskARN: taskArn,
      Family: family,
      Revision: revision,
      DesiredStatus: "RUNNING",
      KnownStatus: "RUNNING",
    };
    const containers = `[${members.map(container).join(",")}]`;
    if (options.taskOverride === undefined) {
      return `${JSON.stringify(document).slice(0, -1)}${members.length === 0 ? "" : `,"Containers":${containers}`}}`;
    }
    return JSON.stringify(mergeOver({ ...document, Containers: JSON.parse(containers) }, options.taskOverride));
  }

  return { container, task };
}

/** The keys in the agent's order; a key whose value is undefined is left out (task-endpoints 2.2). */
function containerDocument(facts: Container, defaults: TaskDefaults): JsonObject {
  const task = describeTask(facts, defaults);
  const name = facts.labels[LABELS.containerName] || facts.name;
  const exited = !facts.running && facts.finishedAt !== undefined;
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
        HostPort: port.hostPort || undefined,
      })),
    ),
    Labels: {
      [LABELS.cluster]: task.cluster,
      [LABELS.containerName]: name,
      [LABELS.taskArn]: task.taskArn,
      [LABELS.family]: task.family,
      [LABELS.revision]: task.revision,
      ...facts.labels,
    },
    DesiredStatus: knownStatus(facts) === "STOPPED" ? "STOPPED" : "RUNNING",
    KnownStatus: knownStatus(facts),
    ExitCode: exited ? facts.exitCode : undefined,
    Limits: { CPU: cpuUnits(facts), Memory: Math.floor(facts.memoryBytes / 1_048_576) },
    CreatedAt: facts.createdAt,
    StartedAt: facts.startedAt,
    FinishedAt: facts.finishedAt,
    Type: "NORMAL",
    Networks: orAbsent(
      facts.attachments.map((attachment) => ({
        NetworkMode: attachment.name,
        IPv4Addresses: attachment.ipv4 === undefined ? undefined : [attachment.ipv4],
        IPv6Addresses: attachment.ipv6 === undefined ? undefined : [attachment.ipv6],
      })),
    ),
    Health: facts.health && {
      status: facts.health.status,
      statusSince: facts.health.since,
      exitCode: facts.health.exitCode || undefined,
      output: facts.health.output.slice(0, 1024) || undefined,
    },
    Volumes: orAbsent(
      facts.mounts.map((mount) => ({
        DockerName: mount.name || undefined,
        Source: mount.source || undefined,
        Destination: mount.destination || undefined,
      })),
    ),
  };
}

/** The agent's rule (task-endpoints 2.5): a paused container runs. */
function knownStatus(facts: Container): "RUNNING" | "STOPPED" | "CREATED" {
  if (facts.running) return "RUNNING";
  if (facts.dead) return "STOPPED";
  return facts.startedAt === undefined && facts.error === "" ? "CREATED" : "STOPPED";
}

/** CPU units, 1024 to a CPU. ECS sets Docker's shares to them with a floor of 2, which the agent shows for none. */
function cpuUnits(facts: Container): number {
  return Math.max(2, facts.cpuShares || Math.round((facts.nanoCpus / 1e9) * 1024));
}

function orAbsent<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}
