import { Elysia } from "elysia";
import type { Metadata, Resource } from "../metadata/metadata.ts";
import type { Answer, Handler } from "./handler.ts";
import { JSON_HEADERS } from "./http-error.ts";

/** Every path, with what it serves. A path without an id finds its caller by address. */
const ROUTES: readonly (readonly [path: string, resource: Resource])[] = [
  ["/v2/metadata", "task"],
  ["/v2/metadata/:id", "container"],
  ["/v2/stats", "task-stats"],
  ["/v2/stats/:id", "stats"],
  ["/v3", "container"],
  ["/v3/task", "task"],
  ["/v3/stats", "stats"],
  ["/v3/task/stats", "task-stats"],
  ...["/v3/containers/:id", "/v3/:id"].flatMap((base): (readonly [string, Resource])[] => [
    [base, "container"],
    [`${base}/task`, "task"],
    [`${base}/stats`, "stats"],
    [`${base}/task/stats`, "task-stats"],
  ]),
];

/** Metadata and stats, V2 and V3. The answer is sent in the same turn when it is at hand, which is nearly always. */
export function metadataRoutes(metadata: Metadata, handler: (answer: Answer) => Handler) {
  const app = new Elysia();
  for (const [path, resource] of ROUTES) {
    const answer: Answer = (_request, address, id) => {
      const body = metadata(resource, id, address);
      return typeof body === "string" ? toJson(body) : body.then(toJson);
    };
    app.get(path, handler(answer));
  }
  return app;
}

function toJson(body: string): Response {
  return new Response(body, { headers: JSON_HEADERS });
}
