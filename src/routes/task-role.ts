import type { Role } from "../aws/types.ts";
import { parseRole } from "../credentials/role.ts";
import type { Container } from "../engine/container.ts";
import type { Inventory } from "../engine/inventory.ts";
import { canonicalAddress } from "../engine/ip-address.ts";
import { AppError } from "../errors.ts";
import type { TaskDefinition } from "../metadata/task-definition.ts";

/**
 * The role of the task that a caller belongs to; undefined where the identity's own session is to be vended. Throws or
 * rejects with `no-task-role`, `caller-unknown` or `engine-unavailable`.
 */
export type TaskRole = (address: string) => Role | undefined | Promise<Role | undefined>;

/**
 * Finds the `taskRoleArn` of the task definition that a caller's task has. As on ECS, a task whose definition has none
 * has no credentials. A caller that cannot be told is refused, but for this machine itself, whose session it is.
 *
 * @param deps.isHost whether an address is this machine's where we run in no container
 * @param deps.definitionOf the task definition whose role a container is to have; throws AppError `no-task-role`
 */
export function createTaskRole(deps: {
  readonly inventory: Pick<Inventory, "picture" | "ready" | "atAddress" | "waitForAddress">;
  readonly isHost: (address: string) => boolean;
  readonly definitionOf: (container: Container) => TaskDefinition;
}): TaskRole {
  const { inventory } = deps;
  const { picture } = inventory;
  const roles = new WeakMap<TaskDefinition, Role>();

  function roleOf(container: Container): Role {
    const definition = deps.definitionOf(container);
    const known = roles.get(definition);
    if (known !== undefined) return known;
    const { family, path, taskRole } = definition;
    if (taskRole === undefined) {
      const text = `The task definition '${family}' (${path}) has no taskRoleArn, so that its tasks have no credentials`;
      throw new AppError("no-task-role", text, { hint: "add taskRoleArn to it, or ask for /role/<name>" });
    }
    const role = parseRole(taskRole, "any");
    roles.set(definition, role);
    return role;
  }

  async function later(address: string): Promise<Role | undefined> {
    const deadlineMs = await inventory.ready();
    const isGateway = picture.isGateway(address) && picture.claimants(address).length === 0;
    const found = isGateway ? undefined : await inventory.waitForAddress(address, deadlineMs);
    if (found !== undefined) return roleOf(found);
    const text = `The request came from ${address}, which does not tell the container that asks, and ECS_LOCAL_USE_TASK_ROLE gives each the role of its task`;
    throw new AppError("caller-unknown", text, {
      hint: "ask from a container, not by a published port, or ask for /role/<name>",
    });
  }

  return (peer) => {
    const address = canonicalAddress(peer);
    // A rootless engine's containers come with this machine's address.
    const isMachine = picture.claimants(address).length === 0 && deps.isHost(address) && !picture.isElsewhere();
    if (isMachine) return undefined;
    const found = inventory.atAddress(address);
    return found === undefined ? later(address) : roleOf(found);
  };
}
