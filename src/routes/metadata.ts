import { LRUCache } from "lru-cache";
import type { Asked, Metadata, Resource, Version } from "../metadata/metadata.ts";
import type { Answer, Handler, Route } from "./handler.ts";
import { JSON_OK, unknownRoute } from "./http-error.ts";

const PATHS_MAX = 1_000;

/** What is served at the end of a path of V3 and V4: of the container, or of its task. */
const RESOURCES: ReadonlyMap<string, Resource> = new Map([
  ["", "container"],
  ["task", "task"],
  ["stats", "stats"],
  ["taskWithTags", "task-with-tags"],
  ["task/stats", "task-stats"],
]);
/** The same at the end of a path of V2, without a container's id and with one. */
const V2_RESOURCES: ReadonlyMap<string | undefined, readonly [Resource, Resource?]> = new Map([
  ["metadata", ["task", "container"]],
  ["metadataWithTags", ["task-with-tags"]],
  ["stats", ["task-stats", "stats"]],
]);

/**
 * Metadata and stats, V2 to V4. The answer is sent in the same turn when it is at hand, which is nearly always.
 * The paths are read here: each route of Elysia's costs a tenth of a millisecond of the start.
 */
export function metadataRoutes(metadata: Metadata, handler: (answer: Answer) => Handler): readonly Route[] {
  const known = new LRUCache<string, Asked>({ max: PATHS_MAX });

  function askedOf(path: string): Asked {
    const found = known.get(path);
    if (found !== undefined) return found;
    const asked = readMetadataPath(path);
    if (asked === undefined) throw unknownRoute(path);
    known.set(path, asked);
    return asked;
  }

  const answer: Answer = (path, caller) => {
    const body = metadata(askedOf(path), caller);
    return typeof body === "string" ? toJson(body) : body.then(toJson);
  };
  const handle = handler(answer);
  return ["/v2/*", "/v3", "/v3/*", "/v4", "/v4/*"].map((pattern) => [pattern, handle]);
}

/**
 * What a path of V2, V3 or V4 asks for: the routes of the reference and of the agent. A slash at its end counts for nothing
 * and a doubled one for one, because clients put `/task` behind whatever they were given.
 * The forms without an identifier come first, since no id is called `task` or `stats`.
 */
export function readMetadataPath(path: string): Asked | undefined {
  const [version, ...segments] = path.split("/").filter((segment) => segment !== "");
  return version === "v2" ? readV2(segments) : readV3(version as Version, segments);
}

function readV2([what, encoded, ...rest]: readonly string[]): Asked | undefined {
  const [ofTask, ofContainer] = V2_RESOURCES.get(what) ?? [];
  const identifier = encoded && decodeURIComponent(encoded);
  const resource = identifier === undefined ? ofTask : ofContainer;
  return resource === undefined || rest.length > 0 ? undefined : { version: "v2", resource, identifier };
}

function readV3(version: Version, segments: readonly string[]): Asked | undefined {
  const own = RESOURCES.get(segments.join("/"));
  if (own !== undefined) return { version, resource: own, identifier: undefined };
  const ofCaller = readAssociations(segments);
  if (ofCaller !== undefined) return { version, ...ofCaller, identifier: undefined };
  const [identifier, ...rest] = segments[0] === "containers" ? segments.slice(1) : segments;
  if (identifier === undefined) return undefined;
  const resource = RESOURCES.get(rest.join("/"));
  const ofContainer = resource === undefined ? readAssociations(rest) : { resource };
  return ofContainer && { version, ...ofContainer, identifier: decodeURIComponent(identifier) };
}

/** `associations/<type>[/<name>]`; the name may contain slashes. */
function readAssociations(segments: readonly string[]): Pick<Asked, "resource" | "association"> | undefined {
  const [what, type, ...name] = segments.map((segment) => decodeURIComponent(segment));
  if (what !== "associations" || type === undefined) return undefined;
  if (name.length === 0) return { resource: "associations" };
  return { resource: "association", association: { type, name: name.join("/") } };
}

function toJson(body: string): Response {
  return new Response(body, JSON_OK);
}
