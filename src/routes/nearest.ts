import { AppError } from "../errors.ts";

const SHOWN_CHARACTERS_MAX = 120;
/** What a character costs that is missing at the end: who asks for `/v1` has stopped short of `/v1/tasks`. */
const MISSING_END_EDITS = 0.1;

/** Every path that is answered, as a person would read it in an error. */
const ROUTES = [
  "/creds",
  "/role/<name>",
  "/role-arn/<arn>",
  "/v2/credentials/<id>",
  "/v2/metadata",
  "/v2/metadata/<container>",
  "/v2/metadataWithTags",
  "/v2/stats",
  "/v2/stats/<container>",
  ...["/v3", "/v4", "/v3/containers/<container>", "/v4/containers/<container>"].flatMap((base) => [
    base,
    `${base}/task`,
    `${base}/taskWithTags`,
    `${base}/stats`,
    `${base}/task/stats`,
  ]),
  ...["/api", "/api/<container>", "/api/containers/<container>"].flatMap((base) => [
    `${base}/task-protection/v1/state`,
    ...["blackhole-port", "latency", "packet-loss"].map(
      (kind) => `${base}/fault/v1/network-${kind}/<start|stop|status>`,
    ),
  ]),
  "/v1/metadata",
  "/v1/tasks",
  "/health",
];

/** The error for a path that is none, with the route that is nearest to it. */
export function unknownRoute(path: string): AppError {
  const shown = path.length > SHOWN_CHARACTERS_MAX ? `${path.slice(0, SHOWN_CHARACTERS_MAX)}…` : path;
  return new AppError("unknown-route", `There is nothing at ${shown}`, {
    hint: `the nearest route is ${nearestRoute(path)}`,
  });
}

/** The route that takes the fewest edits to get to from a path that is none. */
export function nearestRoute(path: string): string {
  const asked = path.slice(0, 80).toLowerCase();
  let best = ROUTES[0] ?? "";
  let fewest = Number.POSITIVE_INFINITY;
  for (const route of ROUTES) {
    // Of two that are as near, the one that leaves less open.
    const edits = distance(asked, fill(route, asked)) + (route.includes("<") ? 0.5 : 0);
    if (edits < fewest) [best, fewest] = [route, edits];
  }
  return best;
}

/** A placeholder becomes what the path has at its place. */
function fill(route: string, path: string): string {
  const segments = path.split("/");
  return route
    .split("/")
    .map((segment, index) => (segment.startsWith("<") ? segments[index] || "x" : segment))
    .join("/");
}

/** Levenshtein's distance, where the end of `b` may be left out for little. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return Math.min(...row.map((edits, length) => edits + (b.length - length) * MISSING_END_EDITS));
}
