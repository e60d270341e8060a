import { AppError } from "../../errors.ts";
import { FULL_URI, RELATIVE_URI, TASK_ADDRESS, variablesOf } from "../variables.ts";
import type { Project } from "./project.ts";
import { hidersOf, type Service } from "./service.ts";

/** Names in the files that we write. */
export const SERVER = "ecs-local-endpoints";
export const NETWORK = "ecs-local";

/** What a service gets from us. */
export interface Share {
  readonly name: string;
  /** Networks that it has already; undefined where it can join none. */
  readonly networks: readonly string[] | undefined;
  /** Undefined: nothing can be done for it. */
  readonly variables: Readonly<Record<string, string>> | undefined;
  /** What a reader of the file should know: sentences whose subject is the service. */
  readonly remarks: readonly string[];
  /** Those of them that a user should do something about. */
  readonly warnings: readonly string[];
}

/**
 * Decides what each service gets: the shared network and the variables where it can join one, the variables alone where it
 * has another's network, nothing where it can reach nobody.
 *
 * @param roles by service
 * @throws AppError `bad-configuration` for a role of a service that is not there, or that cannot have it;
 * `command-failed` where the project has a service of no right name, such a server or our network's addresses already
 */
export function planShares(
  project: Project,
  roles: ReadonlyMap<string, string>,
  region: string | undefined,
  image: string,
): Share[] {
  for (const { name } of project.services) {
    if (/^[a-zA-Z0-9._-]+$/.test(name)) continue;
    throw new AppError("command-failed", `the project has a service '${name}', which is not a service's name`, {
      hint: "use letters, digits, dots, dashes and underscores",
    });
  }
  refuseSecondServer(project, image);
  for (const name of roles.keys()) {
    if (project.services.some((service) => service.name === name)) continue;
    const known = project.services.map((service) => service.name).join(", ");
    throw new AppError("bad-configuration", `--role names the service '${name}', which is none of ${known}`);
  }
  // By name, as Compose has them: the same file comes of a project with its plugin and without.
  const services = project.services.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return services.map((service) => shareOf(service, project, roles.get(service.name), region));
}

function refuseSecondServer(project: Project, image: string): void {
  const server = project.services.find(
    ({ name, image: of = "", addresses }) =>
      name === SERVER ||
      addresses.includes(TASK_ADDRESS) ||
      /(^|\/)(amazon-ecs-local-container-endpoints|ecs-local-endpoints)([:@]|$)/.test(of),
  );
  if (server !== undefined) {
    const message = `the project's service '${server.name}' is such a server already (${server.image ?? TASK_ADDRESS})`;
    throw new AppError("command-failed", message, { hint: `set its image to ${image}; nothing else has to change` });
  }
  const taken = project.networks.find(({ subnets }) => subnets.some((subnet) => /^169\.254\.(170|0)\./.test(subnet)));
  const named = project.networks.find(({ key }) => key === NETWORK);
  if (taken === undefined && named === undefined) return;
  const why = taken ? `has addresses of ${TASK_ADDRESS}'s subnet` : `is called as ours`;
  throw new AppError("command-failed", `the project's network '${(taken ?? named)?.key}' ${why}`, {
    hint: "remove it: what is written here brings that network",
  });
}

function shareOf(service: Service, project: Project, role: string | undefined, region: string | undefined): Share {
  const { kind, remark } = wayOf(service, project);
  const { name } = service;
  if (kind === "none") {
    if (role === undefined)
      return { name, networks: undefined, variables: undefined, remarks: [remark], warnings: [remark] };
    throw new AppError("bad-configuration", `--role: service '${name}' ${remark}`);
  }
  const joins = kind === "joins";
  const container = joins ? undefined : (service.containerName ?? `${project.name}-${name}-1`);
  const { variables, kept } = withoutOwn(variablesOf({ role, container, region }), service, role !== undefined);
  const hiders = hidersOf(service).map((what) => `has ${what}, which SDKs use before they ask here: remove it there`);
  const remarks = [
    ...(remark ? [remark] : []),
    ...hiders,
    ...(kept.length > 0 ? [`keeps its own ${kept.join(", ")}`] : []),
  ];
  return {
    name,
    networks: joins ? service.networks.toSorted() : undefined,
    variables,
    remarks,
    warnings: hiders,
  };
}

/** Leaves out what the service sets itself, so that there is one variable of credentials and its own words stand. */
function withoutOwn(variables: Readonly<Record<string, string>>, service: Service, hasRole: boolean) {
  const own = new Set(service.variables);
  if (hasRole && own.has(FULL_URI)) {
    throw new AppError("bad-configuration", `--role: service '${service.name}' sets ${FULL_URI} in its own file`, {
      hint: "remove it there: SDKs may have only one of the two",
    });
  }
  if (hasRole) own.delete(RELATIVE_URI);
  else if (own.has(FULL_URI)) own.add(RELATIVE_URI);
  // The agent sets the region only where neither name of it is set (task-endpoints 5).
  if (own.has("AWS_REGION") || own.has("AWS_DEFAULT_REGION")) for (const name of REGIONS) own.add(name);
  const entries = Object.entries(variables);
  return {
    variables: Object.fromEntries(entries.filter(([name]) => !own.has(name))),
    kept: [...own]
      .filter((name) => service.variables.includes(name) && (name === FULL_URI || name in variables))
      .toSorted(),
  };
}

const REGIONS = ["AWS_REGION", "AWS_DEFAULT_REGION"];

interface Way {
  /** It joins the network; it reaches us by another's addresses; it reaches nobody. */
  readonly kind: "joins" | "shares" | "none";
  readonly remark: string;
}

function wayOf(service: Service, project: Project, seen: readonly string[] = []): Way {
  const mode = service.networkMode;
  if (mode === undefined) return { kind: "joins", remark: "" };
  if (mode === "none") return { kind: "none", remark: "has no network and gets nothing" };
  if (mode === "host") {
    return {
      kind: "shares",
      remark: "has the host's network: it asks by way of the bridge, and its metadata needs its container's name",
    };
  }
  const [, how, of = ""] = /^(service|container):(.+)$/.exec(mode) ?? [];
  if (how === "container") {
    const remark = `has the network of container ${of}: run docker network connect ${NETWORK} ${of}`;
    return { kind: "shares", remark };
  }
  const owner = how === "service" ? project.services.find(({ name }) => name === of) : undefined;
  if (owner !== undefined && ![...seen, service.name].includes(of)) {
    const way = wayOf(owner, project, [...seen, service.name]);
    if (way.kind === "none") return { kind: "none", remark: `has the network of service ${of}, which ${way.remark}` };
    return { kind: "shares", remark: `has the network of service ${of}: its metadata needs its own container's name` };
  }
  return {
    kind: "none",
    remark: `has network_mode '${mode}', which excludes networks, and gets nothing: let it name networks instead`,
  };
}
