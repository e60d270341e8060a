import { contains } from "../../engine/ip-address.ts";
import type { BridgeNetwork } from "../../network/engine-bridges.ts";
import { TASK_ADDRESS } from "../../network/plan.ts";
import type { Answering } from "./ask-health.ts";
import type { Surrounding } from "./running-containers.ts";

/** What leads to 169.254.170.2 on this machine. */
export interface Ways {
  /** Every running container, ours among them: another may share its network. */
  readonly containers: readonly Surrounding[];
  readonly networks: readonly BridgeNetwork[];
  /** The network on which our container has the address, if any. */
  readonly home: string | undefined;
  /** Bridges that the rules of `network up` lead to our server. */
  readonly ledBridges: readonly string[];
  /** Whether an interface of this machine has the address, so that every bridge leads there. */
  readonly isOnMachine: boolean;
  /** Who answers at the address, as this process sees it. */
  readonly answering: Answering["by"];
  /** Whether programs of the machine get there. */
  readonly isOpenToMachine: boolean;
}

/** How a container on a network gets to 169.254.170.2; undefined where it does not. */
export function wayOf(network: BridgeNetwork, ways: Ways): string | undefined {
  if (isHome(network)) return "it is the network of that address";
  // Its containers have no way out of it.
  if (network.internal) return undefined;
  const { interfaceName } = network;
  if (interfaceName !== undefined && ways.ledBridges.includes(interfaceName))
    return `by the rules for ${interfaceName}`;
  return ways.isOnMachine ? "an interface of this machine has the address" : undefined;
}

/** Whether a running container gets there by any of its networks. */
export function canReach(container: Surrounding, ways: Ways): boolean {
  const { networkMode, networks } = container;
  if (networkMode === "none") return false;
  if (networkMode === "host") return ways.isOpenToMachine;
  if (networkMode.startsWith("container:")) {
    const owner = networkMode.slice("container:".length);
    const found = ways.containers.find(({ id, name }) => id === owner || name === owner);
    return found !== undefined && !found.networkMode.startsWith("container:") && canReach(found, ways);
  }
  return networks.some(({ name }) => {
    const on = ways.networks.find(({ network }) => network === name);
    return on !== undefined && wayOf(on, ways) !== undefined;
  });
}

/**
 * What gives a container without a way one.
 *
 * @param subject.join joins it to our container's network, where that can be
 * @param subject.isRulesToo whether the rules of `network up` would lead it
 */
export function wayTo(
  { home }: Pick<Ways, "home">,
  networkUp: string | undefined,
  subject: { readonly join: (home: string) => string; readonly isRulesToo: boolean },
): string {
  const join = home === undefined ? "put it on a network 169.254.170.0/24 with our container" : subject.join(home);
  return `${join}${networkUp !== undefined && subject.isRulesToo ? `, or run: ${networkUp}` : ""}`;
}

/** Whether a network is the one whose containers have 169.254.170.2 on their own link. */
export function isHome({ subnets }: BridgeNetwork): boolean {
  return subnets.some((subnet) => contains(subnet, TASK_ADDRESS));
}
