import type { Role } from "../../aws/types.ts";
import { parseRole } from "../../credentials/role.ts";
import type { Container } from "../../engine/container.ts";
import type { Inventory } from "../../engine/inventory.ts";
import { canonicalAddress } from "../../engine/ip-address.ts";
import { AppError } from "../../errors.ts";
import type { TaskDefinition } from "../../metadata/task-definition.ts";

/** Binds the container that carries it to one role: a name, path/name or ARN. */
const LABEL = "ecs-local.role";

/** The role that the caller at an address is bound to, if any. Throws or rejects with `role-not-allowed`. */
export type Binding = (address: string) => Role | undefined | Promise<Role | undefined>;

/**
 * Finds the role that a container is bound to by its label `ecs-local.role`. While any container carries the label that
 * runs or may start at any moment, callers that cannot be told from it are refused: gateways, and addresses that are no
 * container's. A container asks before its start is known, so that the engine is waited for where it has news.
 *
 * @param deps.isHost whether an address is this machine's where we run in no container: who asks from there could start
 *   a container without the label
 */
export function createBinding(deps: {
  readonly inventory: Pick<
    Inventory,
    "picture" | "engine" | "ready" | "isCurrent" | "confirm" | "atAddress" | "waitForAddress"
  >;
  readonly isHost: (address: string) => boolean;
}): Binding {
  const { inventory } = deps;
  const { picture } = inventory;
  let revision = Number.NaN;
  let isUsed = false;
  let wasUsed = false;

  function isAnyBound(): boolean {
    if (revision === picture.revision()) return isUsed;
    revision = picture.revision();
    isUsed = [...picture.containers.values()].some((one) => one.labels[LABEL] !== undefined && mayRun(one));
    wasUsed ||= isUsed;
    return isUsed;
  }

  /** Whether the picture tells that no container is bound. */
  function isNoneBound(): boolean {
    return inventory.isCurrent() && inventory.engine()?.hasLateEvents === false && !isAnyBound();
  }

  async function later(address: string): Promise<Role | undefined> {
    try {
      const deadlineMs = await inventory.ready();
      const isGateway = picture.isGateway(address) && picture.claimants(address).length === 0;
      const found = isGateway ? undefined : await inventory.waitForAddress(address, deadlineMs);
      if (found !== undefined) return roleOf(found);
      await inventory.confirm(deadlineMs);
    } catch (error) {
      // Without an engine that answers, there is no label to heed but those that were seen before.
      if (isAnyBound() || wasUsed) throw error;
      return undefined;
    }
    if (!isAnyBound()) return undefined;
    const text = `The request came from ${address}, which does not tell the container that asks, and one that runs is bound to a role`;
    throw new AppError("role-not-allowed", text, {
      hint: `ask from a container, not by a published port, or remove the label ${LABEL} from all that run`,
    });
  }

  return (peer) => {
    if (isNoneBound()) return undefined;
    const address = canonicalAddress(peer);
    if (picture.claimants(address).length === 0 && deps.isHost(address)) return undefined;
    const found = inventory.atAddress(address);
    return found === undefined ? later(address) : roleOf(found);
  };
}

/** One that was made and not started yet, or that the engine starts again, may run before we hear of it. */
function mayRun({ running, startedAt, restarts }: Container): boolean {
  return running || startedAt === undefined || restarts;
}

function roleOf({ name, labels }: Container): Role | undefined {
  const text = labels[LABEL];
  if (text === undefined) return undefined;
  try {
    return parseRole(text.trim(), "any");
  } catch (cause) {
    const why = cause instanceof AppError ? cause.publicMessage : "it cannot be read";
    throw new AppError("role-not-allowed", `The label ${LABEL} of ${name} names no role: ${why}`, {
      hint: `give it a role's name, path/name or ARN, and start the container anew`,
      cause,
    });
  }
}

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
