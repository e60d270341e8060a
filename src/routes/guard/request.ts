import { AppError } from "../../errors.ts";
import { OWN_MARK } from "../../own-request.ts";
import { readAgentPath } from "../path.ts";

/** A rule for what a request says. Throws AppError if it is refused. */
export type RequestRule = (request: Request, path: string) => void;

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

/** Refuses what a browser or a proxy sent, with `forbidden`. */
// Asking for each by name costs Bun less than going through all that there are.
export function checkBrowser({ headers }: Request): void {
  for (const name of FOREIGN_HEADERS) {
    if (!headers.has(name)) continue;
    throw new AppError("forbidden", `The request carries ${name}, so a browser or a proxy sent it`, {
      hint: "ask directly from the container",
    });
  }
}

const HOST_NAMES = new Set([
  "localhost",
  "host.docker.internal",
  "gateway.docker.internal",
  "host.containers.internal",
  "host.lima.internal",
]);

/**
 * Refuses a Host that is not ours, so that a page in a browser cannot reach us under a name of its own (DNS rebinding):
 * `forbidden`, or `bad-path` for none and for two. Ours are an address, a single label (a Compose service), a name of
 * the host's, one that other containers have for ours, or one that was configured; port and final dot do not count.
 *
 * @param ownNames those of our own container, in lower case
 */
export function createHostRule(allowedHosts: readonly string[], ownNames: () => ReadonlySet<string>): RequestRule {
  const allowed = new Set(allowedHosts);

  function isOurs(host: string): boolean {
    if (/^\d{1,3}(\.\d{1,3}){3}\.?(:\d+)?$/.test(host) || /^\[[0-9a-f:.]+\](:\d+)?$/i.test(host)) return true;
    const name = host.replace(/:\d+$/, "").replace(/\.$/, "").toLowerCase();
    return /^[a-z0-9_-]+$/.test(name) || HOST_NAMES.has(name) || allowed.has(name) || ownNames().has(name);
  }

  return ({ headers }, path) => {
    const host = headers.get("host") ?? "";
    if (isOurs(host)) return;
    if (host === "") {
      // HTTP/1.0 may leave it out, as load balancers do for their checks. Other paths cannot be routed without it.
      if (path === "/health") return;
      throw new AppError("bad-path", "The request names no Host", { hint: "ask by HTTP/1.1, or send a Host header" });
    }
    const shown = host.length > 80 ? `${host.slice(0, 80)}…` : host;
    // Bun joins two headers of one name.
    if (host.includes(",")) {
      throw new AppError("bad-path", `The request carries more than one Host: ${shown}`, { hint: "send one" });
    }
    throw new AppError("forbidden", `The Host '${shown}' is not one that this server answers to`, {
      hint: "use its address or its service name, or add the name to ECS_LOCAL_ALLOWED_HOSTS",
    });
  };
}

const READING: ReadonlySet<string> = new Set(["GET", "HEAD"]);
const OF_AGENT = { protection: new Set(["GET", "PUT"]), fault: new Set(["POST"]) } as const;

/** The methods that a path's route accepts. Unknown routes accept what metadata accepts. */
export function methodsOf(path: string): ReadonlySet<string> {
  const asked = path.startsWith("/api/") ? readAgentPath(path) : undefined;
  return asked === undefined ? READING : OF_AGENT[asked.kind];
}

/** Refuses a method that the path's route does not take, with `method-not-allowed`. */
export function checkMethod({ method }: Request, path: string): void {
  const methods = methodsOf(path);
  if (methods.has(method)) return;
  const those = [...methods].filter((each) => each !== "HEAD").join(" or ");
  throw new AppError("method-not-allowed", `${method} is not allowed here`, { hint: `use ${those}` });
}

export const PATH_BYTES_MAX = 2_048;

/** Refuses a path of over 2 KiB, and one that cannot be decoded, with `bad-path`. */
export function checkPath(_request: Request, path: string): void {
  if (path.length > PATH_BYTES_MAX) {
    throw new AppError("bad-path", `The path has ${path.length} bytes, more than ${PATH_BYTES_MAX}`, {
      hint: "see which variable of the container it is made of",
    });
  }
  if (!path.includes("%")) return;
  try {
    decodeURIComponent(path);
  } catch (cause) {
    throw new AppError("bad-path", "The path cannot be decoded: a % in it is not followed by two digits of UTF-8", {
      hint: "write a % that stands for itself as %25",
      cause,
    });
  }
}

/**
 * Refuses a request that we sent ourselves: it asks for the credentials that are needed to answer it (design section 6).
 *
 * @throws AppError `own-request`
 */
export function refuseOwnRequest(request: Request): void {
  if (!request.url.endsWith(OWN_MARK)) return;
  throw new AppError("own-request", "the server was pointed at itself for its own credentials", {
    hint: "unset AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI for the server: they are for the applications",
  });
}
