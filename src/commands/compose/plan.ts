import { contains, TASK_ADDRESS } from "../../engine/ip-address.ts";
import { AppError } from "../../errors.ts";
import { FULL_URI, RELATIVE_URI, variablesOf } from "../container-variables.ts";
import { type NetworkMode, networkModesOf } from "./network-mode.ts";
import { hidersOf, type Project, type Service } from "./project.ts";
import { NETWORK, SERVER, SUBNET } from "./server-service.ts";

const REGIONS = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/** The additions to one service. */
export interface ServicePlan {
  readonly name: string;
  /** The networks that it has already. Undefined if it cannot join one. */
  readonly networks: readonly string[] | undefined;
  /** Undefined if it cannot reach the server. */
  readonly variables: Readonly<Record<string, string>> | undefined;
  /** Comments for the file, without their subject, the service. */
  readonly remarks: readonly string[];
  /** The remarks that ask the user to do something. */
  readonly warnings: readonly string[];
}

/**
 * Decides what each service gets: the network and the variables if it can join a network, only the variables if it uses
 * another container's network, nothing if it cannot reach the server.
 *
 * @param roles by service
 * @param image of the server, for hints
 * @throws AppError `bad-configuration` for a role of a service that does not exist or cannot have one;
 *   `command-failed` if the project has an invalid service name, a server, or the network already
 */
export function planServices(
  project: Project,
  roles: ReadonlyMap<string, string>,
  region: string | undefined,
  image: string,
): ServicePlan[] {
  const services = project.services.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  refuseNames(services);
  refuseSecondServer(services, image);
  refuseSecondNetwork(project);
  const names = services.map(({ name }) => name);
  for (const name of roles.keys()) {
    if (names.includes(name)) continue;
    const text = `--role names the service '${name}', but the services are ${names.join(", ")}`;
    throw new AppError("bad-configuration", text);
  }
  return networkModesOf(services).map(([service, mode]) => {
    const container = service.containerName ?? `${project.name}-${service.name}-1`;
    return planService(service, mode, container, roles.get(service.name), region);
  });
}

function planService(
  service: Service,
  { kind, remark, isWarning = false }: NetworkMode,
  containerName: string,
  role: string | undefined,
  region: string | undefined,
): ServicePlan {
  const { name, replicas = 1 } = service;
  if (kind === "none") {
    if (role !== undefined) throw new AppError("bad-configuration", `--role: service '${name}' ${remark}`);
    return { name, networks: undefined, variables: undefined, remarks: [remark], warnings: [remark] };
  }
  const joins = kind === "joins";
  const container = joins ? undefined : containerName;
  const { variables, kept } = withoutOwn(variablesOf({ role, container, region }), service, role !== undefined);
  const warnings = [
    ...(isWarning ? [remark] : []),
    ...hidersOf(service).map((setting) => `has ${setting}, which SDKs use instead: remove it`),
    ...(joins || replicas <= 1 ? [] : [`has ${replicas} containers, which all get the metadata of ${containerName}`]),
  ];
  const remarks = [
    ...(remark && !isWarning ? [remark] : []),
    ...warnings,
    ...(kept.length > 0 ? [`keeps its own ${kept.join(", ")}`] : []),
  ];
  // Naming a network takes the default one away, so that is named too.
  const own = service.networks.length === 0 ? ["default"] : service.networks.toSorted();
  return { name, networks: joins ? own : undefined, variables, remarks, warnings };
}

/** Leaves out the variables that the service sets, and never sets both variables for credentials. */
function withoutOwn(variables: Readonly<Record<string, string>>, service: Service, hasRole: boolean) {
  const own = new Set(service.variables);
  if (hasRole && own.has(FULL_URI)) {
    throw new AppError("bad-configuration", `--role: service '${service.name}' sets ${FULL_URI} in its own file`, {
      hint: "remove it there: SDKs use only one of the two variables",
    });
  }
  if (hasRole) own.delete(RELATIVE_URI);
  else if (own.has(FULL_URI)) own.add(RELATIVE_URI);
  // The agent sets the region only if neither of its names is set (task-endpoints 5).
  if (REGIONS.some((name) => own.has(name))) for (const name of REGIONS) own.add(name);
  const isKept = (name: string) => service.variables.includes(name) && (name === FULL_URI || name in variables);
  return {
    variables: Object.fromEntries(Object.entries(variables).filter(([name]) => !own.has(name))),
    kept: [...own].filter(isKept).toSorted(),
  };
}

function refuseNames(services: readonly Service[]): void {
  const wrong = services.find(({ name }) => !/^[a-zA-Z0-9._-]+$/.test(name));
  if (wrong === undefined) return;
  const text = `the project has a service '${wrong.name}', which is not a valid service name`;
  throw new AppError("command-failed", text, { hint: "use letters, digits, dots, dashes and underscores" });
}

function refuseSecondServer(services: readonly Service[], image: string): void {
  const isServer = /(^|\/)(amazon-ecs-local-container-endpoints|ecs-local-endpoints)([:@]|$)/;
  const server = services.find(
    (one) => one.name === SERVER || one.addresses.includes(TASK_ADDRESS) || isServer.test(one.image ?? ""),
  );
  if (server === undefined) return;
  const reason = server.image ?? server.addresses.find((address) => address === TASK_ADDRESS);
  if (reason === undefined) {
    throw new AppError("command-failed", `the project has a service '${SERVER}' of its own`, {
      hint: `rename it, or if it is the server, set its image to ${image}`,
    });
  }
  const text = `the project's service '${server.name}' is already such a server (${reason})`;
  throw new AppError("command-failed", text, { hint: `set its image to ${image}; nothing else has to change` });
}

function refuseSecondNetwork({ services, networks }: Project): void {
  const used = new Set(services.flatMap((service) => (service.networks.length > 0 ? service.networks : ["default"])));
  for (const { key, name, subnets } of networks) {
    // Compose does not create a network that no service uses.
    const overlaps = used.has(key) && subnets.some(overlapsOurs);
    const hasName = key === NETWORK || key === `${NETWORK}-aws` || name === NETWORK;
    if (!overlaps && !hasName) continue;
    const reason = overlaps ? `overlaps ${SUBNET}` : "has the name of a network that this command writes";
    const text = `the project's network '${key}' ${reason}`;
    throw new AppError("command-failed", text, { hint: "remove it: the written file has this network" });
  }
}

function overlapsOurs(subnet: string): boolean {
  const first = subnet.split("/", 1)[0] ?? "";
  return contains(subnet, TASK_ADDRESS) || contains(SUBNET, first);
}
