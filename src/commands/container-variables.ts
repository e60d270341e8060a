import { isIPv4, isIPv6 } from "node:net";
import type { Role } from "../aws/types.ts";
import { isHostName } from "../config/config.ts";
import { parseRole } from "../credentials/role.ts";
import { TASK_ADDRESS } from "../engine/ip-address.ts";
import { AppError } from "../errors.ts";

export const RELATIVE_URI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
export const FULL_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

/** Where a server is asked, as a URL has it: an IPv6 address in brackets. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

interface Wanted {
  /** Undefined: 169.254.170.2, port 80. */
  readonly place?: Place | undefined;
  /** A role's name, path/name or ARN; undefined: the server's own identity. */
  readonly role?: string | undefined;
  /** The container that metadata is of; undefined: the one that asks. */
  readonly container?: string | undefined;
  readonly region?: string | undefined;
}

/**
 * The variables that make a container ask us as it would ask the agent (task-endpoints 5). One of the two variables of
 * credentials, never both: SDKs differ in which they prefer.
 *
 * @throws AppError `bad-configuration` for a value that is not a role
 */
export function variablesOf({ place, role, container, region }: Wanted): Record<string, string> {
  const base = `http://${place?.host ?? TASK_ADDRESS}${place && place.port !== 80 ? `:${place.port}` : ""}`;
  const path = role === undefined ? "/creds" : rolePath(role);
  const named = container === undefined ? "" : `/containers/${container}`;
  return {
    ...(isTaskAddress(place) ? { [RELATIVE_URI]: path } : { [FULL_URI]: base + path }),
    ECS_CONTAINER_METADATA_URI: `${base}/v3${named}`,
    ECS_CONTAINER_METADATA_URI_V4: `${base}/v4${named}`,
    ECS_AGENT_URI: `${base}/api${container === undefined ? "" : `/${container}`}`,
    // Both, as the agent has it: botocore reads the second alone.
    ...(region === undefined ? {} : { AWS_REGION: region, AWS_DEFAULT_REGION: region }),
  };
}

function isTaskAddress(place: Place | undefined): boolean {
  return place === undefined || (place.host === TASK_ADDRESS && place.port === 80);
}

/** Whether it is a segment that clients take out of a URL's path, to ask for something else. */
export function isDots(segment: string): boolean {
  return segment === "." || segment === "..";
}

/** The path of a role. */
function rolePath(text: string): string {
  const role = text.trim() === "" ? undefined : roleOf(text);
  if (role === undefined || role.id.split("/").some(isDots)) {
    throw new AppError("bad-configuration", `--role is '${text}', which is not a role`, {
      hint: "give a role's name, path/name or ARN, or leave --role out for your own identity",
    });
  }
  // A shell takes ~ behind a colon for a home, so it is encoded as well.
  const encoded = role.id.replace(/[^\w.:/@=+,-]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `${role.kind === "arn" ? "/role-arn/" : "/role/"}${encoded}`;
}

function roleOf(text: string): Role {
  try {
    return parseRole(text, "any");
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError("bad-configuration", error.publicMessage, { cause: error });
  }
}

/**
 * Reads `host`, `host:port`, `IPv6` or `[IPv6]:port`.
 *
 * @throws AppError `bad-configuration` for anything else
 */
export function parsePlace(text: string): Place {
  const [, inside = text, name = "", port = "80"] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  // A zone's name has no place in a URL.
  const isAddress = isIPv6(inside) && !inside.includes("%");
  const host = isAddress ? `[${inside}]` : isIPv4(name) || isHostName(name) ? name : undefined;
  if (host !== undefined && Number(port) >= 1 && Number(port) <= 65535) return { host, port: Number(port) };
  throw new AppError("bad-configuration", `--address is '${text}', which is not a host with or without a port`, {
    hint: `give an address such as ${TASK_ADDRESS}, 127.0.0.1:51679 or [fd00:ec2::23]`,
  });
}

/** Whether an address is loopback, the one host that every SDK takes in a FULL_URI without TLS. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(host);
}

/** Whether SDKs of today take a host in a FULL_URI without TLS; older ones take loopback alone (consumers 1). */
export function isTakenBySdks(host: string): boolean {
  return isLoopback(host) || [TASK_ADDRESS, "169.254.170.23", "[fd00:ec2::23]"].includes(host.toLowerCase());
}

/** The region that the environment has, if it is one. */
export function regionOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const region = env.AWS_REGION?.trim() || env.AWS_DEFAULT_REGION?.trim() || undefined;
  if (region === undefined || /^[a-z0-9-]+$/i.test(region)) return region;
  throw new AppError("bad-configuration", `AWS_REGION is '${region}', which is not a region such as eu-west-1`);
}

/** Variables that SDKs look at before they ask the endpoint. */
export const HIDING_VARIABLES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_PROFILE",
  // Of botocore alone.
  "AWS_DEFAULT_PROFILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
];

/** Variables that name files which SDKs look into before, and what these are called in ~/.aws. */
export const HIDING_FILES = [
  ["AWS_SHARED_CREDENTIALS_FILE", "credentials"],
  ["AWS_CONFIG_FILE", "config"],
] as const;
