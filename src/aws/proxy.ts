import { BlockList, isIP } from "node:net";
import type { Environment } from "../config/config.ts";

/**
 * Loopback, private, link-local: containers, the host and what stands beside them. Not 100.64.0.0/10, which carriers and
 * overlay networks share out: what is there may be far.
 */
const NEAR = blockList([
  "127.0.0.0/8",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "::1/128",
  "fe80::/10",
  "fc00::/7",
]);

/**
 * Decides which proxy a request goes through. Bun does this too, by the environment of the process; we do it so that
 * what is near never goes there, and so that a failure can name the proxy. Near is, whatever NO_PROXY says: every
 * loopback, private and link-local address, every name without a dot, `*.localhost` and `*.internal`.
 *
 * @param env HTTPS_PROXY for https, HTTP_PROXY for http, ALL_PROXY for either, NO_PROXY (names with their subdomains,
 *   `host:port`, addresses, CIDRs, `*`); in capitals or not
 * @returns a function from a URL to the proxy's, user and password included, or undefined: go straight
 */
export function createProxyChoice(env: Environment): (url: URL) => URL | undefined {
  const read = (name: string): string | undefined => env[name] || env[name.toLowerCase()] || undefined;
  const https = proxyUrl(read("HTTPS_PROXY") ?? read("ALL_PROXY"));
  const http = proxyUrl(read("HTTP_PROXY") ?? read("ALL_PROXY"));
  const isExcepted = exceptions(read("NO_PROXY") ?? "");
  return (url) => {
    const proxy = url.protocol === "https:" ? https : http;
    if (proxy === undefined) return undefined;
    const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
    const port = url.port || (url.protocol === "https:" ? "443" : "80");
    return isNear(host) || isExcepted(host, port) ? undefined : proxy;
  };
}

/** A name without a dot is a neighbour's: a Compose service. */
function isNear(host: string): boolean {
  const family = isIP(host);
  if (family !== 0) return NEAR.check(host, family === 6 ? "ipv6" : "ipv4");
  return !host.includes(".") || host.endsWith(".localhost") || host.endsWith(".internal");
}

function exceptions(list: string): (host: string, port: string) => boolean {
  const entries = list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
  const ranges = blockList(entries.filter((entry) => /\/\d+$/.test(entry)));
  const names = entries.map((entry) => {
    if (isIP(entry) === 6) return { name: entry, port: undefined };
    const [, name = entry, port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
    return { name: name.replace(/^\*?\./, ""), port };
  });
  return (host, port) => {
    const family = isIP(host);
    if (family !== 0 && ranges.check(host, family === 6 ? "ipv6" : "ipv4")) return true;
    return names.some(({ name, port: only }) => {
      if (only !== undefined && only !== port) return false;
      return name === "*" || host === name || host.endsWith(`.${name}`);
    });
  };
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", bits = ""] = range.split("/");
    const family = isIP(address);
    const length = Number(bits);
    if (family !== 0 && length <= (family === 6 ? 128 : 32))
      list.addSubnet(address, length, family === 6 ? "ipv6" : "ipv4");
  }
  return list;
}

const VARIABLES = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);

/** The variables that name a proxy which is not one of HTTP: nothing goes through it. */
export function unusableProxies(env: Environment): string[] {
  return VARIABLES.filter((name) => env[name] && proxyUrl(env[name]) === undefined);
}

/** The proxy that a variable names, with or without a scheme. Undefined for one that is not of HTTP. */
function proxyUrl(value: string | undefined): URL | undefined {
  if (value === undefined) return undefined;
  const url = URL.parse(value.includes("://") ? value : `http://${value}`);
  return url && /^https?:$/.test(url.protocol) ? url : undefined;
}
