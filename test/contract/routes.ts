export type Kind = "container" | "task" | "stats" | "task-stats";

const RESOURCES = [
  ["", "container"],
  ["/task", "task"],
  ["/stats", "stats"],
  ["/task/stats", "task-stats"],
] as const;

/** Every metadata route of V2 and V3, with what it serves. */
export function metadataRoutes(identifier: string): readonly (readonly [path: string, kind: Kind])[] {
  return [
    ["/v2/metadata", "task"],
    [`/v2/metadata/${identifier}`, "container"],
    ["/v2/stats", "task-stats"],
    [`/v2/stats/${identifier}`, "stats"],
    ...["/v3", `/v3/containers/${identifier}`, `/v3/${identifier}`].flatMap((base) =>
      RESOURCES.map(([resource, kind]) => [base + resource, kind] as const),
    ),
  ];
}

export const ROLE_ARN = "arn:aws:iam::111122223333:role/team/app";

/** Every way to ask for credentials, with the role that they are of. */
export const CREDENTIAL_ROUTES: readonly (readonly [path: string, roleArn: RegExp])[] = [
  ["/creds", /^$/],
  ["/v2/credentials/any-id", /^$/],
  ["/role/app", /^arn:aws:iam::\d{12}:role\/app$/],
  ["/role/team/app", /^arn:aws:iam::\d{12}:role\/team\/app$/],
  ["/role/team%2Fapp", /^arn:aws:iam::\d{12}:role\/team\/app$/],
  [`/role/${ROLE_ARN}`, new RegExp(`^${ROLE_ARN}$`)],
  [`/role/${encodeURIComponent(ROLE_ARN)}`, new RegExp(`^${ROLE_ARN}$`)],
  [`/role-arn/${ROLE_ARN}`, new RegExp(`^${ROLE_ARN}$`)],
  [`/role-arn/${encodeURIComponent(ROLE_ARN)}`, new RegExp(`^${ROLE_ARN}$`)],
];

/** A path of each route, with and without a slash at its end. */
export const EVERY_PATH = [
  "/health",
  ...[...CREDENTIAL_ROUTES, ...metadataRoutes("web")].map(([path]) => path),
].flatMap((path) => [path, `${path}/`]);
