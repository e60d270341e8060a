import { AppError } from "../../errors.ts";
import { TASK_ADDRESS } from "../container-variables.ts";
import { NETWORK, SERVER, SUBNET } from "./names.ts";
import { overlap, type Project } from "./project.ts";

/**
 * @param image what the server would be
 * @throws AppError `command-failed` where the project has a service of no right name, such a server or our network's
 * addresses already
 */
export function refuseProject(project: Project, image: string): void {
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
