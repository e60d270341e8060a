import type { Introspection, IntrospectionResource } from "../metadata/introspection.ts";
import type { Answer, Handler, Route } from "./handler.ts";
import { JSON_OK, unknownRoute } from "./http-error.ts";

const RESOURCES: ReadonlyMap<string, IntrospectionResource> = new Map([
  ["/", "commands"],
  ["/v1/metadata", "metadata"],
  ["/v1/tasks", "tasks"],
]);

/**
 * The agent's introspection, `/v1/metadata` and `/v1/tasks`, and `/`, which lists them: Datadog looks there first. Slashes
 * count as with metadata.
 */
export function introspectionRoutes(
  introspection: Introspection,
  handler: (answer: Answer) => Handler,
): readonly Route[] {
  const answer: Answer = (path, _caller, { url }) => {
    const segments = path.split("/").filter((segment) => segment !== "");
    const resource = RESOURCES.get(`/${segments.join("/")}`);
    if (resource === undefined) throw unknownRoute(path);
    const query = url.indexOf("?");
    const body = introspection(resource, new URLSearchParams(query === -1 ? "" : url.slice(query + 1)));
    return typeof body === "string" ? toJson(body) : body.then(toJson);
  };
  const handle = handler(answer);
  return [
    ["/", handle],
    ["/v1/*", handle],
  ];
}

function toJson(body: string): Response {
  return new Response(body, JSON_OK);
}
