import type { TaskDefaults } from "../config.ts";
import type { Container } from "../engine/container.ts";
import { type JsonObject, mergeOver } from "./overrides.ts";
import { LABELS } from "./task.ts";

const OUTPUT_BYTES_MAX = 1024;

export interface BodyOptions {
  readonly taskOverride?: JsonObject | undefined;
  readonly containerOverride?: JsonObject | undefined;
}

export interface Bodies {
  /** The V2 and V3 document of a container of `task`, as JSON text. */
  readonly container: (container: Container, task: TaskDefaults) => string;
  /** The V2 and V3 document of a task, around those of its containers. */
  readonly task: (task: TaskDefaults, containers: readonly string[]) => string;
}

/** Makes the documents. A container is serialised once: it is replaced when it changes, see {@link Container}. */
export function createBodies(options: BodyOptions): Bodies {
  const made = new WeakMap<Container, { readonly task: TaskDefaults; readonly body: string }>();

  function container(facts: Container, task: TaskDefaults): string {
    const known = made.get(facts);
    if (known?.task === task) return known.body;
    const body = JSON.stringify(mergeOver(containerDocument(facts, task), options.containerOverride));
    made.set(facts, { task, body });
    return body;
  }

  function task(description: TaskDefaults, bodies: readonly string[]): string {
    const document = {
      Cluster: description.cluster,
      TaskARN: description.taskArn,
      Family: description.family,
      Revision: description.revision,
      DesiredStatus: "RUNNING",
      KnownStatus: "RUNNING",
    };
    const containers = bodies.length === 0 ? undefined : `[${bodies.join(",")}]`;
    if (options.taskOverride === undefined) {
      return containers === undefined
        ? JSON.stringify(document)
        : `${JSON.stringify(document).slice(0, -1)},"Containers":${containers}}`;
    }
    const Containers = containers && JSON.parse(containers);
    return JSON.stringify(mergeOver({ ...document, Containers }, options.taskOverride));
  }

  return { container, task };
}

/** The keys in the agent's order; a key whose value is undefined is left out (task-endpoints 2.2). */
function containerDocument(facts: Container, task: TaskDefaults): JsonObject {
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
    Labels: labelsOf(facts, task, name),
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
      output: firstBytes(facts.health.output, OUTPUT_BYTES_MAX) || undefined,
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

/** All labels of the container, and those of the five that it lacks. */
function labelsOf(facts: Container, task: TaskDefaults, name: string): Readonly<Record<string, string>> {
  const ofTask: Record<string, string> = {
    [LABELS.cluster]: task.cluster,
    [LABELS.containerName]: name,
    [LABELS.taskArn]: task.taskArn,
    [LABELS.family]: task.family,
    [LABELS.revision]: task.revision,
  };
  // An empty one of the five counts as lacking.
  const own = Object.entries(facts.labels).filter(([label, value]) => value !== "" || !Object.hasOwn(ofTask, label));
  return { ...ofTask, ...Object.fromEntries(own) };
}

/** A text cut to so many bytes of UTF-8, and never within a character. */
function firstBytes(text: string, bytesMax: number): string {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, bytesMax), { stream: true });
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
