import { AppError } from "../../errors.ts";
import type { Rule } from "./rule.ts";

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
export function createHostRule(allowedHosts: readonly string[], ownNames: () => ReadonlySet<string>): Rule {
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
