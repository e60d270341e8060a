import { AppError } from "../errors.ts";

/** A token bucket for each address and path: `perSecond` tokens a second, at most `burst`. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

/** Who may ask, and for which roles: design section 7. */
export interface AccessConfig {
  /** In lower case, without a final dot. */
  readonly allowedHosts: readonly string[];
  /** CIDRs; an address alone became one. */
  readonly allowedNetworks: readonly string[];
  /** Undefined: all. */
  readonly allowedRoles: readonly string[] | undefined;
  readonly refuseGateway: boolean;
  readonly authToken: string | undefined;
  readonly authTokenFile: string | undefined;
  readonly rateLimit: RateLimit | undefined;
}

/** The variables of this file that begin with ECS_LOCAL_. */
export const ACCESS_VARIABLES = [
  "ECS_LOCAL_ALLOWED_HOSTS",
  "ECS_LOCAL_ALLOWED_NETWORKS",
  "ECS_LOCAL_ALLOWED_ROLES",
  "ECS_LOCAL_REFUSE_GATEWAY",
  "ECS_LOCAL_AUTH_TOKEN",
  "ECS_LOCAL_AUTH_TOKEN_FILE",
];

/**
 * Reads the variables that say which callers are allowed.
 *
 * @param read gives a variable's text, trimmed, or undefined if it is unset or empty
 * @param problems takes a sentence for each value that is wrong; none of them quotes a token
 */
export function readAccess(
  read: (name: string) => string | undefined,
  flag: (name: string) => boolean,
  problems: string[],
): AccessConfig {
  const list = (name: string) =>
    read(name)
      ?.split(/[\s,]+/)
      .filter(Boolean);
  const authToken = read("ECS_LOCAL_AUTH_TOKEN");
  const authTokenFile = read("ECS_LOCAL_AUTH_TOKEN_FILE");
  if (authToken !== undefined && authTokenFile !== undefined) {
    problems.push("ECS_LOCAL_AUTH_TOKEN and ECS_LOCAL_AUTH_TOKEN_FILE are both set: unset one of them");
  }
  if (authToken !== undefined && !/^[\x21-\x7e]+( +[\x21-\x7e]+)*$/.test(authToken)) {
    problems.push("ECS_LOCAL_AUTH_TOKEN holds what no header can carry: give printable ASCII");
  }
  return {
    allowedHosts: (list("ECS_LOCAL_ALLOWED_HOSTS") ?? []).map((host) => parseHostName(host, problems)),
    allowedNetworks: (list("ECS_LOCAL_ALLOWED_NETWORKS") ?? []).map((text) => parseNetwork(text, problems)),
    allowedRoles: list("ECS_LOCAL_ALLOWED_ROLES"),
    refuseGateway: flag("ECS_LOCAL_REFUSE_GATEWAY"),
    authToken,
    authTokenFile,
    rateLimit: parseRate(read("ECS_TASK_METADATA_RPS_LIMIT"), problems),
  };
}

function parseHostName(text: string, problems: string[]): string {
  if (!/^[\w-]+(\.[\w-]+)*\.?$/.test(text)) {
    problems.push(
      `ECS_LOCAL_ALLOWED_HOSTS has '${text}', which is not a host's name such as metadata.corp, without port`,
    );
  }
  return text.toLowerCase().replace(/\.$/, "");
}

function parseNetwork(text: string, problems: string[]): string {
  const [base = "", prefix, ...rest] = text.split("/");
  const width = widthOf(base);
  const length = prefix === undefined ? width : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  const isMapped = /^::ffff:/i.test(base);
  if (width > 0 && !isMapped && rest.length === 0 && length <= width) return `${base}/${length}`;
  problems.push(`ECS_LOCAL_ALLOWED_NETWORKS has '${text}', which is not a network such as 10.0.0.0/8 or fd00::/8`);
  return text;
}

/** The bits of an address's family; 0 if it is not an address. */
function widthOf(base: string): 0 | 32 | 128 {
  if (base.includes(":")) return /^[0-9a-f:.]+$/i.test(base) && URL.canParse(`http://[${base}]/`) ? 128 : 0;
  const parts = base.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256) ? 32 : 0;
}

/** The agent's own variable and form, "rate,burst" (task-endpoints 1.1). */
function parseRate(value: string | undefined, problems: string[]): RateLimit | undefined {
  if (value === undefined) return undefined;
  const [perSecond = 0, burst = 0] = (/^(\d{1,6})\s*,\s*(\d{1,6})$/.exec(value)?.slice(1) ?? []).map(Number);
  if (perSecond > 0 && burst > 0) return { perSecond, burst };
  problems.push(`ECS_TASK_METADATA_RPS_LIMIT is '${value}', which is not 'rate,burst' such as 40,60`);
  return undefined;
}

/**
 * Reads the token's file.
 *
 * @throws AppError `bad-configuration` when it cannot be read or holds no token; its text is in no message
 */
export function readToken(path: string, readText: (path: string) => string): string {
  const bad = (why: string, cause?: unknown) =>
    new AppError("bad-configuration", `ECS_LOCAL_AUTH_TOKEN_FILE is '${path}', which ${why}`, {
      hint: "give a file that this user can read, with the token as its only line",
      cause,
    });
  let text: string;
  try {
    text = readText(path).trim();
  } catch (cause) {
    throw bad("cannot be read", cause);
  }
  if (!/^[\x20-\x7e]+$/.test(text)) throw bad("does not hold one line of printable ASCII");
  return text;
}
