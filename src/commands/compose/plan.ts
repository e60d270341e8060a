import { AppError } from "../../errors.ts";
import { FULL_URI, RELATIVE_URI, TASK_ADDRESS, variablesOf } from "../container-variables.ts";
import { NETWORK, SERVER, SUBNET } from "./names.ts";
import { type Way, waysOf } from "./network-mode.ts";
import { hidersOf, overlap, type Project, type Service } from "./project.ts";

/** What a service gets from us. */
export interface Share {
  readonly name: string;
  /** Networks that it has already, be it the default one; undefined where it can join none. */
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
  refuseProject(project, image);
  const byName = new Map(project.services.map((service) => [service.name, service]));
  for (const name of roles.keys()) {
    if (byName.has(name)) continue;
    const known = project.services.map((service) => service.name).join(", ");
    throw new AppError("bad-configuration", `--role names the service '${name}', which is none of ${known}`);
  }
  // By name, as Compose has them: the same file comes of a project with its plugin and without.
  const services = project.services.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return waysOf(services).map(([service, way]) => {
    const container = service.containerName ?? `${project.name}-${service.name}-1`;
    return shareOf(service, way, container, roles.get(service.name), region);
  });
}

function shareOf(
  service: Service,
  { kind, remark, isWarning = false }: Way,
  containerName: string,
  role: string | undefined,
  region: string | undefined,
): Share {
  const { name, replicas = 1 } = service;
  if (kind === "none") {
    if (role === undefined)
      return { name, networks: undefined, variables: undefined, remarks: [remark], warnings: [remark] };
    throw new AppError("bad-configuration", `--role: service '${name}' ${remark}`);
  }
  const joins = kind === "joins";
  const container = joins ? undefined : containerName;
  const { variables, kept } = withoutOwn(variablesOf({ role, container, region }), service, role !== undefined);
  const warnings = [
    ...(isWarning ? [remark] : []),
    ...hidersOf(service).map((what) => `has ${what}, which SDKs use before they ask here: remove it there`),
    ...(joins || replicas <= 1 ? [] : [`has ${replicas} containers, all of which are told of ${containerName}`]),
  ];
  const remarks = [
    ...(remark && !isWarning ? [remark] : []),
    ...warnings,
    ...(kept.length > 0 ? [`keeps its own ${kept.join(", ")}`] : []),
  ];
  return {
    name,
    // The project's default network goes with the first that is named, so it is named as well.
    networks: !joins ? undefined : service.networks.length === 0 ? ["default"] : service.networks.toSorted(),
    variables,
    remarks,
    warnings,
  };
}

/** Leaves out what the service sets itself, so that there is one variable of credentials and its own words stand. */
function withoutOwn(variables: Readonly<Record<string, string>>, service: Service, hasRole: boolean) {
  const [own, named] = [new Set(service.variables), new Set(service.variables)];
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
    kept: [...own].filter((name) => named.has(name) && (name === FULL_URI || name in variables)).toSorted(),
  };
}

const REGIONS = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/**
 * @param image what the server would be
 * @throws AppError `command-failed` where the project has a service of no right name, such a server or our network's
 * addresses already
 */
function refuseProject(project: Project, image: string): void {
  for (const { name } of project.services) {
    if (/^[a-zA-Z0-9._-]+$/.test(name)) continue;
    throw new AppError("command-failed", `the project has a service '${name}', which is not a service's name`, {
      hint: "use letters, digits, dots, dashes and underscores",
    });
  }
  refuseSecondServer(project, image);
  refuseSecondNetwork(project);
}

function refuseSecondServer(project: Project, image: string): void {
  const server = project.services.find(
    ({ name, image: of = "", addresses }) =>
      name === SERVER ||
      addresses.includes(TASK_ADDRESS) ||
      /(^|\/)(amazon-ecs-local-container-endpoints|ecs-local-endpoints)([:@]|$)/.test(of),
  );
  if (server !== undefined) {
    const at = server.addresses.includes(TASK_ADDRESS) ? TASK_ADDRESS : undefined;
    const why = server.image ?? at;
    if (why === undefined) {
      throw new AppError("command-failed", `the project has a service '${SERVER}' of its own`, {
        hint: `rename it, or set its image to ${image} where it is such a server`,
      });
    }
    const message = `the project's service '${server.name}' is such a server already (${why})`;
    throw new AppError("command-failed", message, { hint: `set its image to ${image}; nothing else has to change` });
  }
}

function refuseSecondNetwork({ services, networks }: Project): void {
  const used = new Set(services.flatMap((service) => (service.networks.length > 0 ? service.networks : ["default"])));
  for (const { key, name, subnets } of networks) {
    // Compose makes none that no service is on.
    const isTaken = used.has(key) && subnets.some((subnet) => overlap(subnet, SUBNET));
    const isNamed = key === NETWORK || key === `${NETWORK}-aws` || name === NETWORK;
    if (!isTaken && !isNamed) continue;
    const why = isTaken ? `has addresses of ${TASK_ADDRESS}'s subnet` : "is called as ours";
    throw new AppError("command-failed", `the project's network '${key}' ${why}`, {
      hint: "remove it: what is written here brings that network",
    });
  }
}
