import { Type } from "@sinclair/typebox";
import { AppError } from "../errors.ts";
import type { Engine } from "./client.ts";
import { decodeText, ListSchema } from "./schema.ts";

/** Inspected at once, so that a machine with hundreds of containers keeps its engine for itself. */
const INSPECTED_AT_ONCE = 16;

/** Whose values say where a client asks. Of any other variable nothing but its name is kept. */
const ENDPOINT_VARIABLES = new Set(["ECS_CONTAINER_METADATA_URI", "ECS_CONTAINER_METADATA_URI_V4"]);

const text = Type.Optional(Type.Union([Type.String(), Type.Null()]));
const SurroundingsSchema = Type.Object({
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
export interface Surrounding {
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

/**
 * The running containers with the names of their variables, ordered by name. The inventory has no environments, so that
 * nothing of the server can come to show one.
 *
 * @throws AppError `engine-unavailable`, `engine-refused` or `engine-bad-answer`
 */
export async function readSurroundings(engine: Engine, signal: AbortSignal): Promise<readonly Surrounding[]> {
  const list = decodeText(ListSchema, await engine.get("/containers/json", { signal }), "the list of containers");
  const found: Surrounding[] = [];
  const ids = list.map(({ Id }) => Id);
  for (let at = 0; at < ids.length; at += INSPECTED_AT_ONCE) {
    const some = ids.slice(at, at + INSPECTED_AT_ONCE).map((id) => readOne(engine, id, signal));
    for (const one of await Promise.all(some)) if (one !== undefined) found.push(one);
  }
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Undefined for a container that is gone meanwhile. */
async function readOne(engine: Engine, id: string, signal: AbortSignal): Promise<Surrounding | undefined> {
  let answer: string;
  try {
    answer = await engine.get(`/containers/${id}/json`, { signal });
  } catch (error) {
    if (error instanceof AppError && error.code === "container-unknown") return undefined;
    throw error;
  }
  const { Id, Name, Config, HostConfig, NetworkSettings } = decodeText(SurroundingsSchema, answer, `container ${id}`);
  const pairs = (Config.Env ?? []).map((line) => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1)]);
  const set = pairs.filter(([name, value]) => name !== "" && value !== "") as [string, string][];
  return {
    id: Id,
    name: Name.replace(/^\//, ""),
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
