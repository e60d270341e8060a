import type { TaskFacts } from "./task-facts.ts";

type Document = Readonly<Record<string, unknown>>;

interface IntrospectionTask {
  readonly Arn: string;
  readonly DesiredStatus: string;
  readonly KnownStatus: string;
  readonly Family: string;
  readonly Version: string;
  readonly Containers: readonly Document[];
}

/**
 * A task as introspection has it, in the agent's order of keys, made of what its V4 document says: containers without
 * labels, limits and states, ports without the host's address, and networks only with `awsvpc`.
 *
 * @param isOwn whether the container with an id belongs to it
 */
export function introspectionTask(facts: TaskFacts, isOwn: (id: string) => boolean): IntrospectionTask {
  return {
    Arn: facts.TaskARN,
    DesiredStatus: facts.DesiredStatus,
    KnownStatus: facts.KnownStatus,
    Family: facts.Family,
    Version: facts.Revision,
    Containers: listOf(facts.Containers)
      .filter(({ DockerId }) => typeof DockerId === "string" && isOwn(DockerId))
      .map(introspectionContainer),
  };
}

function introspectionContainer(facts: Document): Document {
  const networks = listOf(facts.Networks).filter(({ NetworkMode }) => NetworkMode === "awsvpc");
  return {
    DockerId: facts.DockerId,
    DockerName: facts.DockerName,
    Name: facts.Name,
    Image: facts.Image,
    ImageID: facts.ImageID,
    CreatedAt: facts.CreatedAt,
    StartedAt: facts.StartedAt,
    Ports: facts.Ports && listOf(facts.Ports).map(({ HostIp: _, ...port }) => port),
    Networks:
      networks.length === 0
        ? undefined
        : networks.map(({ NetworkMode, IPv4Addresses, IPv6Addresses }) => ({
            NetworkMode,
            IPv4Addresses,
            IPv6Addresses,
          })),
    Volumes: facts.Volumes,
    RestartCount: facts.RestartCount,
  };
}

/** A user's JSON may have put anything there. */
function listOf(value: unknown): readonly Document[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "object" && each !== null) : [];
}
