import type { Inventory } from "../../engine/inventory.ts";
import { canonicalAddress, contains } from "../../engine/ip-address.ts";
import { isLoopback, type OwnAddresses } from "../../engine/self.ts";
import { AppError } from "../../errors.ts";
import type { Rule } from "./rule.ts";

/** For how long an address that was let in is not looked at again, unless the picture changes. */
const KNOWN_FOR_MS = 1_000;
const KNOWN_MAX = 10_000;
const WAITING_MAX = 1_000;

export interface CallerOptions {
  readonly inventory: Pick<Inventory, "picture" | "engine" | "ready" | "waitForAddress">;
  readonly own: OwnAddresses;
  readonly isInContainer: () => boolean;
  readonly defaultGateways: () => readonly string[];
  readonly allowedNetworks: readonly string[];
  readonly refuseGateway: boolean;
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
}

/**
 * Tells whom we know without a wait, by an address in its canonical spelling. Everybody else is, for the time being, a
 * stranger.
 */
export function createAcquaintance(options: CallerOptions) {
  const { inventory, own, refuseGateway } = options;
  const { picture } = inventory;

  function isGateway(address: string): boolean {
    if (inventory.engine() !== undefined) return picture.isBridgeGateway(address);
    return refuseGateway && options.isInContainer() && options.defaultGateways().includes(address);
  }

  function isKnown(address: string): boolean {
    if (isLoopback(address) || own.has(address) || picture.claimants(address).length > 0) return true;
    if (isGateway(address)) return !refuseGateway;
    return options.allowedNetworks.some((network) => contains(network, address));
  }

  return { isGateway, isKnown };
}

/**
 * Lets in, on every path but `/health`: loopback, addresses of our own interfaces, exactly the address of a running
 * container, the gateway of a bridge, and configured networks. A subnet alone never counts, as that of a macvlan is the
 * whole LAN, but where no engine was ever reached and we run in a container, that of a network of containers. An address of a subnet of the engine's that
 * no container has yet may wait for 900 ms: its container may be starting. Others are `forbidden`, or
 * `engine-unavailable` where an engine that was lost would have to tell.
 */
export function createCallerRule(options: CallerOptions): Rule {
  const { inventory, own, now, refuseGateway } = options;
  const { picture } = inventory;
  const { isGateway, isKnown } = createAcquaintance(options);
  const known = new Set<string>();
  const waiting = new Map<string, Promise<void>>();
  let revision = Number.NaN;
  let sinceMs = Number.NEGATIVE_INFINITY;

  /** Whether it is in a subnet of the engine's, or of one that was made without an event. */
  function mayBeInSubnet(address: string): boolean {
    return picture.isInSubnet(address) || inventory.engine()?.hasLateEvents === true;
  }

  async function decide(address: string): Promise<void> {
    try {
      const deadlineMs = await inventory.ready();
      const isRefused = refuseGateway && isGateway(address) && !isKnown(address);
      if (!isRefused && (await inventory.waitForAddress(address, deadlineMs))) return;
    } catch (error) {
      if (isKnown(address)) return;
      if (inventory.engine() === undefined) {
        if (options.isInContainer() && own.isInContainerSubnet(address) && !isGateway(address)) return;
      } else if (mayBeInSubnet(address) && !isGateway(address)) throw error;
    }
    if (!isKnown(address)) throw refusal(address);
  }

  function refusal(address: string): AppError {
    if (refuseGateway && isGateway(address)) {
      const text = `The request came by way of a gateway (${address}), and ECS_LOCAL_REFUSE_GATEWAY is set`;
      return new AppError("forbidden", text, { hint: "ask from a container on a network of this server's own" });
    }
    const text = `The request came from ${address || "nowhere"}, which is neither this machine nor a running container`;
    return new AppError("forbidden", text, {
      hint: `if it may ask, add it or its network to ECS_LOCAL_ALLOWED_NETWORKS, as in ${address}/${address.includes(":") ? 128 : 32}`,
    });
  }

  /** One wait per address, however many ask from there. */
  function later(address: string): Promise<void> {
    const shared = waiting.get(address);
    if (shared !== undefined) return shared;
    if (waiting.size >= WAITING_MAX) {
      throw new AppError("engine-unavailable", "Too many unknown callers wait for the engine", { hint: "retry" });
    }
    const promise = decide(address).finally(() => waiting.delete(address));
    waiting.set(address, promise);
    return promise;
  }

  return (_request, path, peer) => {
    if (path === "/health") return undefined;
    const at = now();
    if (picture.revision() !== revision || at - sinceMs >= KNOWN_FOR_MS || known.size >= KNOWN_MAX) {
      known.clear();
      revision = picture.revision();
      sinceMs = at;
    }
    if (known.has(peer)) return undefined;
    const address = canonicalAddress(peer);
    // Where gateways are refused, nobody is let in by his network before the engine has said which ones are gateways.
    const isEarly = refuseGateway && inventory.engine() === undefined && !isLoopback(address) && !own.has(address);
    if (isEarly || !isKnown(address)) return later(address);
    known.add(peer);
    return undefined;
  };
}
