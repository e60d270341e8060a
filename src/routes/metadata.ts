import { LRUCache } from "lru-cache";
import type { Metadata, Resource } from "../metadata/metadata.ts";
import type { Answer, Handler, Route } from "./handler.ts";
import { JSON_OK } from "./http-error.ts";
import { unknownRoute } from "./nearest.ts";

const PATHS_MAX = 1_000;

/** What is served at the end of a path of V3: of the container, or of its task. */
const V3_RESOURCES: ReadonlyMap<string, Resource> = new Map([
  ["", "container"],
  ["task", "task"],
  ["stats", "stats"],
  ["task/stats", "task-stats"],
]);

export interface Asked {
  readonly resource: Resource;
  /** Undefined where the caller is found by its address. */
  readonly identifier: string | undefined;
}

/**
 * Metadata and stats, V2 and V3. The answer is sent in the same turn when it is at hand, which is nearly always.
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

  const answer: Answer = (path, address) => {
    const { resource, identifier } = askedOf(path);
    const body = metadata(resource, identifier, address);
    return typeof body === "string" ? toJson(body) : body.then(toJson);
  };
  const handle = handler(answer);
  return ["/v2/*", "/v3", "/v3/*"].map((pattern) => [pattern, handle]);
}

/**
 * What a path of V2 or V3 asks for: the routes of the reference and of the agent. A slash at its end counts for nothing
 * and a doubled one for one, because clients put `/task` behind whatever they were given.
 * The forms without an identifier come first, since no id is called `task` or `stats`.
 */
export function readMetadataPath(path: string): Asked | undefined {
  const [version, ...segments] = path.split("/").filter((segment) => segment !== "");
  if (version === "v2") return readV2(segments);
  const own = V3_RESOURCES.get(segments.join("/"));
  if (own !== undefined) return { resource: own, identifier: undefined };
  const [identifier, ...rest] = segments[0] === "containers" ? segments.slice(1) : segments;
  const resource = V3_RESOURCES.get(rest.join("/"));
  if (identifier === undefined || resource === undefined) return undefined;
  return { resource, identifier: decodeURIComponent(identifier) };
}

function readV2([what, encoded, ...rest]: readonly string[]): Asked | undefined {
  if (rest.length > 0) return undefined;
  const identifier = encoded && decodeURIComponent(encoded);
  if (what === "metadata") return { resource: identifier === undefined ? "task" : "container", identifier };
  if (what === "stats") return { resource: identifier === undefined ? "task-stats" : "stats", identifier };
  return undefined;
}

function toJson(body: string): Response {
  return new Response(body, JSON_OK);
}
