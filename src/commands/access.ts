import type { AppDeps } from "../app.ts";
import type { AccessConfig } from "../config/access.ts";
import type { Container } from "../engine/container.ts";
import type { Inventory } from "../engine/inventory.ts";
import { canonicalAddress } from "../engine/ip-address.ts";
import { createOwnNames, defaultGateways, isInContainer, isLoopback, type OwnAddresses } from "../engine/self.ts";
import type { TaskDefinition } from "../metadata/task-definition.ts";
import { createRoleRule } from "../routes/guard/allowed-roles.ts";
import { createBinding, createTaskRole } from "../routes/guard/caller-role.ts";
import { createTokenRule } from "../routes/guard/token.ts";
import type { RuleName } from "../routes/guard.ts";

/**
 * Puts together what decides who may ask, for the app.
 *
 * @param deps.definitionOf the task definition of a container's task, where `/creds` is to vend its role
 * @param deps.now milliseconds of a clock that nobody sets
 * @param deps.inContainer whether we run in a container; found out when it is needed first, unless given
 * @param deps.without rules of the guard that are switched off, for a test
 * @throws AppError `bad-configuration` when the token's file cannot be read
 */
export function createAccess(deps: {
  readonly config: AccessConfig;
  readonly inventory: Inventory;
  readonly own: OwnAddresses;
  readonly isOwn: (container: Container) => boolean;
  readonly definitionOf?: ((container: Container) => TaskDefinition) | undefined;
  readonly now: () => number;
  readonly inContainer?: boolean;
  readonly without?: readonly RuleName[];
}): Pick<AppDeps, "guard" | "access" | "rateLimit" | "callerName"> {
  const { config, inventory, own, now, definitionOf } = deps;
  const { picture } = inventory;
  let inContainer = deps.inContainer;
  const isContained = () => {
    inContainer ??= isInContainer();
    return inContainer;
  };
  const isHost = (address: string) =>
    (isLoopback(address) || (own.has(address) && !picture.isBridgeGateway(address))) && !isContained();
  const { allowedHosts, allowedNetworks, refuseGateway } = config;
  return {
    guard: {
      allowedHosts,
      ownNames: createOwnNames(picture, deps.isOwn),
      caller: { inventory, own, isInContainer: isContained, defaultGateways, allowedNetworks, refuseGateway, now },
      ...(deps.without && { without: deps.without }),
    },
    access: {
      token: createTokenRule(config, now),
      roles: createRoleRule(config.allowedRoles),
      boundRole: createBinding({ inventory, isHost }),
      taskRole: definitionOf && createTaskRole({ inventory, isHost, definitionOf }),
    },
    rateLimit: config.rateLimit,
    callerName: (address) => auditName(inventory.atAddress(canonicalAddress(address))),
  };
}

const auditNames = new WeakMap<Container, string>();

/** A container's name and short id, written once for as long as the picture has the same. */
function auditName(container: Container | undefined): string | undefined {
  if (container === undefined) return undefined;
  const known = auditNames.get(container);
  if (known !== undefined) return known;
  const name = `${container.name}/${container.id.slice(0, 12)}`;
  auditNames.set(container, name);
  return name;
}
