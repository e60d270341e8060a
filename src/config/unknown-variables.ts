import { ACCESS_VARIABLES } from "./access.ts";
import type { Environment } from "./config.ts";

/** The variables that are ours, for the warning about a mistyped one. */
const OWN_VARIABLES = [
  "ECS_LOCAL_METADATA_PORT",
  "ECS_LOCAL_BIND_ADDRESS",
  "ECS_LOCAL_OFFLINE",
  ...ACCESS_VARIABLES,
  "ECS_LOCAL_SESSION_DURATION",
  "ECS_LOCAL_ROLES",
  "ECS_LOCAL_NETWORK_MODE",
  "ECS_LOCAL_TASK_DEFINITION",
  "ECS_LOCAL_USE_TASK_ROLE",
  "ECS_LOCAL_LOG_LEVEL",
  "ECS_LOCAL_LOG_FORMAT",
];

/** Names of variables that begin like ours and are not: each is probably a mistyped one. */
export function unknownVariables(env: Environment): string[] {
  return Object.keys(env).filter((name) => name.startsWith("ECS_LOCAL_") && !OWN_VARIABLES.includes(name));
}

const ENDPOINTS: readonly (readonly [looksLike: RegExp, right: string])[] = [
  [/^(?!.*REGIONAL).*(^|_)STS(_|$).*ENDPOINT|ENDPOINT.*_STS$/, "STS_ENDPOINT"],
  [/(^|_)IAM(_|$).*ENDPOINT|ENDPOINT.*_IAM$/, "IAM_ENDPOINT"],
  [/^(AWS_)?(CUSTOM_)?ENDPOINT(_UR[IL]S?)?$/, "AWS_ENDPOINT_URL"],
];
const READ_ENDPOINTS = /^(STS|IAM)_(CUSTOM_)?ENDPOINT$|^AWS_ENDPOINT_URL(_STS|_IAM)?$/;

/** Variables that look like the endpoint of STS or IAM, each with the correct one. */
export function misnamedEndpoints(env: Environment): { readonly variable: string; readonly right: string }[] {
  return Object.keys(env).flatMap((variable) => {
    if (READ_ENDPOINTS.test(variable)) return [];
    const right = ENDPOINTS.find(([looksLike]) => looksLike.test(variable.toUpperCase()))?.[1];
    return right === undefined ? [] : [{ variable, right }];
  });
}
