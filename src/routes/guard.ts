import { AppError } from "../errors.ts";
import { refuseOwnRequest } from "./own-request.ts";

const PATH_BYTES_MAX = 2_048;
const HOST_NAMES = new Set([
  "localhost",
  "host.docker.internal",
  "gateway.docker.internal",
  "host.containers.internal",
  "host.lima.internal",
]);
/** Set by browsers and by proxies: neither is a program in a container that asks for its own credentials. */
const FOREIGN_HEADERS = [
  "origin",
  "referer",
  "sec-fetch-site",
  "sec-fetch-mode",
  "sec-fetch-dest",
  "sec-fetch-user",
  "x-forwarded-for",
  "forwarded",
  "via",
];

export interface GuardOptions {
  readonly allowedHosts: readonly string[];
}

/** Throws AppError for a request that is refused. `path` is that of its URL. */
export type Guard = (request: Request, path: string) => void;

/**
 * The rules that need nothing but the request. Each throws an AppError that names what was refused.
 *
 * - method: GET and HEAD
 * - path: at most 2 KiB, decodable
 * - host: an address, a single label (a Compose service), a name of the host's, or one that was configured, so that a
 *   page in a browser cannot reach us under a name of its own (DNS rebinding)
 * - browser and proxy: their headers
 */
export function createGuard(options: GuardOptions): Guard {
  const allowed = new Set(options.allowedHosts);
  return (request, path) => {
    refuseOwnRequest(request);
    checkMethod(request);
    checkPath(path);
    checkHeaders(request.headers, path, allowed);
  };
}

function checkMethod(request: Request): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  throw new AppError("method-not-allowed", `${request.method} is not allowed here`, { hint: "use GET" });
}

function checkPath(path: string): void {
  if (path.length > PATH_BYTES_MAX) {
    throw new AppError("bad-path", `The path has ${path.length} bytes, more than ${PATH_BYTES_MAX}`);
  }
  if (!path.includes("%")) return;
  try {
    decodeURIComponent(path);
  } catch (cause) {
    throw new AppError("bad-path", "The path cannot be decoded: a % in it is not followed by two digits of UTF-8", {
      cause,
    });
  }
}

// Asking for each by name costs Bun less than going through all that there are.
function checkHeaders(headers: Headers, path: string, allowed: ReadonlySet<string>): void {
  checkHost(headers.get("host") ?? "", path, allowed);
  for (const name of FOREIGN_HEADERS) {
    if (!headers.has(name)) continue;
    throw new AppError("forbidden", `The request carries ${name}, so a browser or a proxy sent it`, {
      hint: "ask directly from the container",
    });
  }
}

function checkHost(host: string, path: string, allowed: ReadonlySet<string>): void {
  if (isAllowedHost(host, allowed)) return;
  if (host === "") {
    // HTTP/1.0 may leave it out, as load balancers do for their checks. Other paths cannot be routed without it.
    if (path === "/health") return;
    throw new AppError("bad-path", "The request names no Host", { hint: "ask by HTTP/1.1, or send a Host header" });
  }
  const shown = host.length > 80 ? `${host.slice(0, 80)}…` : host;
  if (host.includes(",")) throw new AppError("bad-path", `The request carries more than one Host: ${shown}`);
  throw new AppError("forbidden", `The Host '${shown}' is not one that this server answers to`, {
    hint: "use its address or its service name, or add the name to ECS_LOCAL_ALLOWED_HOSTS",
  });
}

/** An IP literal, a single label, one of the host's names or a configured one; port and final dot do not count. */
function isAllowedHost(host: string, allowed: ReadonlySet<string>): boolean {
  if (/^\d{1,3}(\.\d{1,3}){3}\.?(:\d+)?$/.test(host) || /^\[[0-9a-f:.]+\](:\d+)?$/i.test(host)) return true;
  const name = host.replace(/:\d+$/, "").replace(/\.$/, "").toLowerCase();
  return /^[a-z0-9_-]+$/.test(name) || HOST_NAMES.has(name) || allowed.has(name);
}
