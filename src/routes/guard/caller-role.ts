import type { Role } from "../../aws/types.ts";
import { parseRole } from "../../credentials/role.ts";
import type { Caller } from "../../engine/caller.ts";
import type { Container } from "../../engine/container.ts";
import type { Inventory } from "../../engine/inventory.ts";
import { perRevision } from "../../engine/memo.ts";
import { AppError } from "../../errors.ts";
import type { TaskDefinition } from "../../metadata/task-definition.ts";

/** Gives the container that carries it one role only: a name, path/name or ARN. */
const LABEL = "ecs-local.role";

/** The role that a caller has, if any. Throws or rejects with AppError. */
export type CallerRole = (caller: Caller) => Role | undefined | Promise<Role | undefined>;

/**
 * The role of a container's label `ecs-local.role`. While a container with the label runs, or may run before its start is
 * known, callers that cannot be identified are refused with `role-not-allowed`. A program on this machine is not, unless we
 * run in a container: it could start a container without the label.
 */
export function createLabelRole(deps: {
  readonly inventory: Pick<Inventory, "store" | "engine" | "ready" | "isCurrent" | "confirm">;
  readonly isInContainer: () => boolean;
}): CallerRole {
  const { inventory } = deps;
  const { store } = inventory;
  let wasUsed = false;

  const isUsed = perRevision(store, () => {
    const found = store.containers.values().some((one) => one.labels[LABEL] !== undefined && mayRun(one));
    wasUsed ||= found;
    return found;
  });

  async function later({ address, deadlineMs }: Caller): Promise<undefined> {
    try {
      await inventory.confirm(await inventory.ready(deadlineMs));
    } catch (error) {
      // Without an engine, the labels that were seen before count.
      if (isUsed() || wasUsed) throw error;
      return undefined;
    }
    if (!isUsed()) return undefined;
    const text = `The request came from ${address}, which does not identify a container, and a running container is bound to a role`;
    throw new AppError("role-not-allowed", text, {
      hint: `ask from a container, not by a published port, or remove the label ${LABEL} from all that run`,
    });
  }

  return (caller) => {
    if (caller.kind === "container") return roleOf(caller.container);
    if (inventory.isCurrent() && inventory.engine()?.needsCatchUp === false && !isUsed()) return undefined;
    if (isHost(caller, deps.isInContainer)) return undefined;
    return later(caller);
  };
}

/** One that was created, or that the engine restarts, may run before its event comes. */
function mayRun({ running, startedAt, restarts }: Container): boolean {
  return running || startedAt === undefined || restarts;
}

function isHost(caller: Caller, isInContainer: () => boolean): boolean {
  const isMachine = caller.kind === "host" || (caller.kind === "gateway" && caller.isOwn && !caller.isBridge);
  return isMachine && !isInContainer();
}

function roleOf({ name, labels }: Container): Role | undefined {
  const text = labels[LABEL];
  if (text === undefined) return undefined;
  try {
    return parseRole(text.trim(), "any");
  } catch (cause) {
    const reason = cause instanceof AppError ? cause.publicMessage : "it cannot be read";
    throw new AppError("role-not-allowed", `The label ${LABEL} of ${name} is not a role: ${reason}`, {
      hint: "give it a role's name, path/name or ARN, and recreate the container",
      cause,
    });
  }
}

/**
 * The `taskRoleArn` of the task definition of a caller's task, for `/creds`. As on ECS, a task without one has no
 * credentials: `no-task-role`. A caller that is not identified gets `caller-unknown`, but a program on this machine gets
 * undefined, the server's own identity.
 *
 * @param deps.definitionOf the task definition of a container; throws AppError `no-task-role`
 */
export function createTaskRole(deps: {
  readonly inventory: Pick<Inventory, "store">;
  readonly isInContainer: () => boolean;
  readonly definitionOf: (container: Container) => TaskDefinition;
}): CallerRole {
  const roles = new WeakMap<TaskDefinition, Role>();

  return (caller) => {
    // A rootless engine's containers come with this machine's address.
    if (isHost(caller, deps.isInContainer) && deps.inventory.store.addressesAreLocal()) return undefined;
    if (caller.kind !== "container") {
      if (caller.kind === "unknown" && caller.error) throw caller.error;
      const text = `The request came from ${caller.address}, which does not identify a container, and ECS_LOCAL_USE_TASK_ROLE gives each the role of its task`;
      throw new AppError("caller-unknown", text, {
        hint: "ask from a container, not by a published port, or ask for /role/<name>",
      });
    }
    const definition = deps.definitionOf(caller.container);
    const known = roles.get(definition);
    if (known !== undefined) return known;
    const { family, path, taskRole } = definition;
    if (taskRole === undefined) {
      const text = `The task definition '${family}' (${path}) has no taskRoleArn, so its tasks get no credentials`;
      throw new AppError("no-task-role", text, { hint: "add taskRoleArn to it, or ask for /role/<name>" });
    }
    const role = parseRole(taskRole, "any");
    roles.set(definition, role);
    return role;
  };
}
