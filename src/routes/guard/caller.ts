import type { Caller } from "../../engine/caller.ts";
import type { Inventory } from "../../engine/inventory.ts";
import { contains } from "../../engine/ip-address.ts";
import type { OwnAddresses } from "../../engine/self.ts";
import { AppError } from "../../errors.ts";

export interface CallerOptions {
  readonly inventory: Pick<Inventory, "store" | "engine">;
  readonly own: OwnAddresses;
  readonly isInContainer: () => boolean;
  readonly defaultGateways: () => readonly string[];
  readonly allowedNetworks: readonly string[];
  readonly refuseGateway: boolean;
}

/** Whether a caller may ask: see {@link createCallerRule}. */
export function isAllowed(caller: Caller, options: CallerOptions): boolean {
  const { inventory, own, refuseGateway } = options;
  const { address } = caller;
  if (caller.kind === "container" || caller.kind === "host") return true;
  if (caller.kind === "gateway" && (caller.isOwn || caller.isBridge)) return caller.isOwn || !refuseGateway;
  // Without its engine, a container keeps its last address.
  if (inventory.store.ownersOf(address).length > 0) return true;
  const isEarly = inventory.engine() === undefined;
  if (isEarly && isDefaultGateway(address, options)) return false;
  if (options.allowedNetworks.some((network) => contains(network, address))) return true;
  return isEarly && options.isInContainer() && own.isInContainerSubnet(address);
}

/** Without an engine, only the kernel's default gateway is known. */
function isDefaultGateway(address: string, { refuseGateway, isInContainer, defaultGateways }: CallerOptions): boolean {
  return refuseGateway && isInContainer() && defaultGateways().includes(address);
}

/**
 * Allows on every path but `/health`: this machine, running containers, the gateway of a bridge, and configured networks.
 * A subnet alone never counts, as that of a macvlan is the whole LAN; only if no engine was ever reached and we run in a
 * container, that container's networks do. Others get `forbidden`, or `engine-unavailable` if the engine did not answer.
 */
export function createCallerRule(options: CallerOptions): (caller: Caller, path: string) => void {
  const { inventory, refuseGateway } = options;

  return (caller, path) => {
    if (path === "/health" || isAllowed(caller, options)) return;
    const { address } = caller;
    const isGateway = caller.kind === "gateway" || isDefaultGateway(address, options);
    const engine = inventory.engine();
    const mayBeContainer = inventory.store.isInSubnet(address) || engine?.needsCatchUp === true;
    const couldNotTell = caller.kind === "unknown" && (caller.reason === "crowded" || (engine && mayBeContainer));
    if (couldNotTell && caller.error) throw caller.error;
    if (refuseGateway && isGateway) {
      const text = `The request came by way of a gateway (${address}), and ECS_LOCAL_REFUSE_GATEWAY is set`;
      throw new AppError("forbidden", text, { hint: "ask from a container on a network of this server's own" });
    }
    const text = `The request came from ${address || "nowhere"}, which is neither this machine nor a running container`;
    throw new AppError("forbidden", text, {
      hint: `if it may ask, add it or its network to ECS_LOCAL_ALLOWED_NETWORKS, as in ${address}/${address.includes(":") ? 128 : 32}`,
    });
  };
}
