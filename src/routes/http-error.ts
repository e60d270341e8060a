import { AppError, type ErrorCode } from "../errors.ts";
import { methodsOf } from "./guard/request.ts";

const JSON_HEADERS = { "content-type": "application/json" } as const;
/** Exactly this type, without a charset: the Go SDK reads no other. */
export const JSON_OK: ResponseInit = { headers: new Headers(JSON_HEADERS) };

const SHOWN_CHARACTERS_MAX = 120;
const ROUTE_FAMILIES =
  "/creds, /role/<name>, /role-arn/<arn>, /v2/credentials/<id>, /v2/metadata, /v2/stats, /v3, /v4, /api, /v1/metadata, /v1/tasks, /health";

/** The error for a path that no route serves. */
export function unknownRoute(path: string): AppError {
  const shown = path.length > SHOWN_CHARACTERS_MAX ? `${path.slice(0, SHOWN_CHARACTERS_MAX)}…` : path;
  return new AppError("unknown-route", `There is nothing at ${shown}`, { hint: `the routes are ${ROUTE_FAMILIES}` });
}

/** Turns a failure into its answer and leaves its line in the log. */
export type Fail = (error: unknown, path: string) => Response;

interface Wire {
  readonly status: number;
  /** The `code` of the credentials' error object. */
  readonly name: string;
}

const WIRE: Readonly<Record<ErrorCode, Wire>> = {
  "unknown-route": { status: 404, name: "NotFound" },
  "method-not-allowed": { status: 405, name: "MethodNotAllowed" },
  "bad-path": { status: 400, name: "InvalidPath" },
  "bad-role": { status: 400, name: "InvalidRole" },
  forbidden: { status: 403, name: "Forbidden" },
  unauthorized: { status: 401, name: "Unauthorized" },
  "role-not-allowed": { status: 403, name: "RoleNotAllowed" },
  "no-task-role": { status: 400, name: "NoTaskRole" },
  "own-request": { status: 403, name: "AskedItself" },
  "bad-request": { status: 400, name: "InvalidRequest" },
  "caller-unknown": { status: 400, name: "UnknownCaller" },
  "container-unknown": { status: 400, name: "UnknownContainer" },
  "container-ambiguous": { status: 400, name: "AmbiguousContainer" },
  "container-not-running": { status: 400, name: "ContainerNotRunning" },
  "engine-unavailable": { status: 503, name: "EngineUnavailable" },
  "engine-refused": { status: 503, name: "EngineRefused" },
  "engine-bad-answer": { status: 503, name: "EngineBadAnswer" },
  "no-identity": { status: 400, name: "NoCredentials" },
  "identity-failed": { status: 400, name: "IdentityFailed" },
  "role-refused": { status: 403, name: "AccessDenied" },
  "clock-skew": { status: 400, name: "ClockSkew" },
  "no-such-role": { status: 400, name: "NoSuchRole" },
  "certificate-untrusted": { status: 503, name: "UntrustedCertificate" },
  "proxy-refused": { status: 503, name: "ProxyRefused" },
  "upstream-throttled": { status: 503, name: "Throttled" },
  "upstream-refused": { status: 400, name: "UpstreamRefused" },
  "upstream-unavailable": { status: 503, name: "UpstreamUnavailable" },
  "bad-configuration": { status: 503, name: "BadConfiguration" },
  "cannot-listen": { status: 500, name: "CannotListen" },
  "network-failed": { status: 500, name: "NetworkFailed" },
  "command-failed": { status: 500, name: "CommandFailed" },
};

/** Each metadata version has its own status for an id or a caller that it does not know (task-endpoints 1.3). */
const UNKNOWN: ReadonlySet<ErrorCode> = new Set(["caller-unknown", "container-unknown", "container-ambiguous"]);

/**
 * The answer for a failure, in the form of the path's family: a bare JSON string for metadata, as the agent has it, the
 * agent's own objects below `/api` and for introspection, and an object for credentials and for paths of none of them.
 * What is not an AppError says nothing of itself.
 */
export function toResponse(error: unknown, path: string): Response {
  const known = error instanceof AppError ? error : undefined;
  const wire = known ? WIRE[known.code] : { status: 500, name: "InternalServerError" };
  const text = known?.sentence ?? "Internal server error; the log of ecs-local-endpoints has the cause";
  const version = /^\/(v[234])(\/|$)/.exec(path)?.[1];
  if (/^\/api(\/|$)/.test(path)) return agentApiError(known, wire.status, text, path);
  if (/^\/v1\/+tasks(\/|$)/.test(path)) return introspectionError(known, wire.status, text, path);
  if (version === undefined || path.startsWith("/v2/credentials")) {
    const body = { code: wire.name, message: text, HTTPErrorCode: wire.status, Code: wire.name, Message: text };
    return toJson(body, wire.status, path);
  }
  return toJson(text, metadataStatus(known?.code, version, path) ?? wire.status, path);
}

function metadataStatus(code: ErrorCode | undefined, version: string, path: string): number | undefined {
  if (code === "container-not-running" && version === "v4") return 500;
  if (code === undefined || !UNKNOWN.has(code)) return undefined;
  if (version === "v2" || path.includes("/associations/")) return 400;
  if (version === "v4") return 404;
  return /\/stats\/*$/.test(path) ? 400 : 500;
}

/**
 * Task protection and faults (task-endpoints 8.4 and 1.4). Where no task was found, the agent's own sentence is
 * followed by the reason. A method that is not allowed has no body, as with the agent.
 */
function agentApiError(error: AppError | undefined, wireStatus: number, text: string, path: string): Response {
  if (wireStatus === 405) return new Response(null, { status: 405, headers: { allow: allowed(path) } });
  const isLost = error !== undefined && (UNKNOWN.has(error.code) || wireStatus >= 500);
  const status = error !== undefined && UNKNOWN.has(error.code) ? 404 : Math.min(wireStatus, 500);
  if (path.includes("/fault/v1/")) {
    const prefix = !isLost ? "" : status === 404 ? "unable to lookup container: " : "failed to get task metadata: ";
    return toJson({ Error: prefix + text }, status, path);
  }
  const Message = isLost ? `Failed to find a task for the request: ${text}` : text;
  return toJson(
    { error: { Arn: error?.taskArn, Code: AGENT_CODES[status] ?? "ServerException", Message } },
    status,
    path,
  );
}

const AGENT_CODES: Readonly<Record<number, string>> = {
  400: "InvalidParameterException",
  403: "AccessDeniedException",
  404: "ResourceNotFoundException",
};

/** The agent answers with a task of which nothing is known; the reason behind it is ours. */
function introspectionError(error: AppError | undefined, wireStatus: number, text: string, path: string): Response {
  const status = error?.code === "container-unknown" ? 404 : wireStatus;
  const nothing = { Arn: "", KnownStatus: "", Family: "", Version: "", Containers: null };
  return toJson({ ...nothing, Message: text }, status, path);
}

function toJson(body: unknown, status: number, path: string): Response {
  const headers = status === 405 ? { ...JSON_HEADERS, allow: allowed(path) } : JSON_HEADERS;
  return new Response(JSON.stringify(body), { status, headers });
}

function allowed(path: string): string {
  return [...methodsOf(path)].join(", ");
}
