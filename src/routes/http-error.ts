import { AppError, type ErrorCode } from "../errors.ts";

const JSON_HEADERS = { "content-type": "application/json" } as const;
/** Exactly this type, without a charset: the Go SDK reads no other. */
export const JSON_OK: ResponseInit = { headers: new Headers(JSON_HEADERS) };

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
  "own-request": { status: 403, name: "AskedItself" },
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
  "command-failed": { status: 500, name: "CommandFailed" },
};

/** Each metadata version has its own status for an id or a caller that it does not know (task-endpoints 1.3). */
const UNKNOWN: ReadonlySet<ErrorCode> = new Set(["caller-unknown", "container-unknown", "container-ambiguous"]);

/**
 * The answer for a failure, in the form of the path's family: a bare JSON string for metadata, as the agent has it, an
 * object for credentials and for paths of neither. What is not an AppError says nothing of itself.
 */
export function toResponse(error: unknown, path: string): Response {
  const known = error instanceof AppError ? error : undefined;
  const wire = known ? WIRE[known.code] : { status: 500, name: "InternalServerError" };
  const text = known?.sentence ?? "Internal server error; the log of ecs-local-endpoints has the cause";
  const version = /^\/(v[234])(\/|$)/.exec(path)?.[1];
  if (version === undefined || path.startsWith("/v2/credentials")) {
    const body = { code: wire.name, message: text, HTTPErrorCode: wire.status, Code: wire.name, Message: text };
    return new Response(JSON.stringify(body), { status: wire.status, headers: headersOf(wire.status) });
  }
  const status = metadataStatus(known?.code, version, path) ?? wire.status;
  return new Response(JSON.stringify(text), { status, headers: headersOf(status) });
}

function metadataStatus(code: ErrorCode | undefined, version: string, path: string): number | undefined {
  if (code === "container-not-running" && version === "v4") return 500;
  if (code === undefined || !UNKNOWN.has(code)) return undefined;
  if (version === "v2") return 400;
  if (version === "v4") return 404;
  return /\/stats\/?$/.test(path) ? 400 : 500;
}

function headersOf(status: number): Record<string, string> {
  return status === 405 ? { ...JSON_HEADERS, allow: "GET, HEAD" } : JSON_HEADERS;
}
