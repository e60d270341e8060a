import { Type } from "@sinclair/typebox";
import type { Engine } from "../../engine/client.ts";
import { decodeText } from "../../engine/schema.ts";
import { AppError } from "../../errors.ts";

/** Inspected at once, so that a machine with hundreds of containers keeps its engine for itself. */
const INSPECTED_AT_ONCE = 16;

/** Whose values say where a client asks. Of any other variable nothing but its name is kept. */
const ENDPOINT_VARIABLES = new Set(["ECS_CONTAINER_METADATA_URI", "ECS_CONTAINER_METADATA_URI_V4"]);

const text = Type.Optional(Type.Union([Type.String(), Type.Null()]));
const ListSchema = Type.Array(
  Type.Object({
    Id: Type.String(),
    Names: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
  }),
);
const ContainerSchema = Type.Object({
  Id: Type.String(),
  Name: Type.String(),
  Config: Type.Object({
    Image: text,
    Env: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
  }),
  HostConfig: Type.Object({ NetworkMode: text }),
  NetworkSettings: Type.Object({
    Networks: Type.Optional(
      Type.Union([Type.Record(Type.String(), Type.Object({ NetworkID: text, IPAddress: text })), Type.Null()]),
    ),
  }),
});
const ProductSchema = Type.Object({
  Version: text,
  Components: Type.Optional(Type.Union([Type.Array(Type.Object({ Name: text })), Type.Null()])),
});

/** A running container, as far as a diagnosis needs it: no value of a variable that could be a secret. */
export interface RunningContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** Such as `host`, `none`, `container:<id>` or a network's name. */
  readonly networkMode: string;
  readonly networks: readonly { readonly name: string; readonly ipv4: string | undefined }[];
  /** The names of its variables that are set and not empty. */
  readonly variables: ReadonlySet<string>;
  /** The values of the two variables of metadata, by name. */
  readonly endpoints: ReadonlyMap<string, string>;
}

/** What could be read of the running containers. */
export interface RunningContainers {
  /** Ordered by name. */
  readonly containers: readonly RunningContainer[];
  /** Those that the engine lists and does not show, with its error. */
  readonly unread: readonly { readonly name: string; readonly error: AppError }[];
}

/**
 * The running containers with the names of their variables. The inventory has no environments, so that nothing of the server
 * can come to show one.
 *
 * @throws AppError `engine-unavailable`, `engine-refused` or `engine-bad-answer` where it shows none of those that it lists
 */
export async function readRunningContainers(engine: Engine, signal: AbortSignal): Promise<RunningContainers> {
  const list = decodeText(ListSchema, await engine.get("/containers/json", { signal }), "the list of containers");
  const containers: RunningContainer[] = [];
  const unread: { name: string; error: AppError }[] = [];

  async function read(id: string, name: string): Promise<void> {
    try {
      containers.push(await readOne(engine, id, signal));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // Else it is gone meanwhile.
      if (error.code !== "container-unknown") unread.push({ name, error });
    }
  }

  for (let at = 0; at < list.length; at += INSPECTED_AT_ONCE) {
    const some = list.slice(at, at + INSPECTED_AT_ONCE);
    await Promise.all(some.map(({ Id, Names }) => read(Id, withoutSlash(Names?.[0] ?? Id))));
  }
  if (containers.length === 0 && unread[0]) throw unread[0].error;
  return { containers: containers.toSorted(byName), unread: unread.toSorted(byName) };
}

async function readOne(engine: Engine, id: string, signal: AbortSignal): Promise<RunningContainer> {
  const answer = await engine.get(`/containers/${id}/json`, { signal });
  const { Id, Name, Config, HostConfig, NetworkSettings } = decodeText(ContainerSchema, answer, `container ${id}`);
  const pairs = (Config.Env ?? []).map((line) => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1)]);
  const set = pairs.filter(([name, value]) => name !== "" && value !== "") as [string, string][];
  return {
    id: Id,
    name: withoutSlash(Name),
    image: Config.Image ?? "",
    networkMode: HostConfig.NetworkMode ?? "",
    networks: Object.entries(NetworkSettings.Networks ?? {}).map(([name, { IPAddress }]) => ({
      name,
      ipv4: IPAddress || undefined,
    })),
    variables: new Set(set.map(([name]) => name)),
    endpoints: new Map(set.filter(([name]) => ENDPOINT_VARIABLES.has(name))),
  };
}

function withoutSlash(name: string): string {
  return name.replace(/^\//, "");
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

/**
 * What the engine calls itself, such as `Docker 29.1.2` or `Podman 4.3.1`.
 *
 * @throws AppError `engine-unavailable`, `engine-refused` or `engine-bad-answer`
 */
export async function readProduct(engine: Engine): Promise<string> {
  const { Version, Components } = decodeText(ProductSchema, await engine.get("/version"), "its version");
  const isPodman = (Components ?? []).some(({ Name }) => Name?.startsWith("Podman"));
  return `${isPodman ? "Podman" : "Docker"} ${Version ?? "of an unknown version"}`;
}
