import type { Environment } from "../config/config.ts";

const VARIABLES = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);

/** The variables that name a proxy which is not one of HTTP: nothing goes through it. */
export function unusableProxies(env: Environment): string[] {
  return VARIABLES.filter((name) => env[name] && proxyUrl(env[name]) === undefined);
}

/** The proxy that a variable names, with or without a scheme. Undefined for one that is not of HTTP. */
export function proxyUrl(value: string | undefined): URL | undefined {
  if (value === undefined) return undefined;
  const url = URL.parse(value.includes("://") ? value : `http://${value}`);
  return url && /^https?:$/.test(url.protocol) ? url : undefined;
}
