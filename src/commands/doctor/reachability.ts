import { contains } from "../../engine/ip-address.ts";
import type { BridgeNetwork } from "../../network/engine-bridges.ts";
import { TASK_ADDRESS } from "../../network/plan.ts";
import { shellWords } from "../../text.ts";
import type { Answering } from "../health-client.ts";
import { type Finding, finding } from "./finding.ts";
import type { Commands } from "./remedies.ts";
import type { Surrounding } from "./running-containers.ts";

/** What one request from inside came to: a status, with the text of one that is no success; undefined for no answer. */
export interface Answered {
  readonly status: number;
  readonly message?: string | undefined;
}

/** What a container on a network got, or why none could be asked. */
export type Inside =
  | {
      readonly kind: "asked";
      readonly credentials: Answered | undefined;
      readonly metadata: Answered | undefined;
      /** Who answers there; undefined where the image that asked cannot tell. */
      readonly server?: Answering["by"] | undefined;
    }
  | { readonly kind: "unasked"; readonly why: string; readonly remedy: string };

/**
 * The networks that matter: those that running containers are on, or all where nothing runs. A network without a way is
 * passed over where each container on it has one by another, as beside the network that `compose` writes.
 */
export function networksInUse(ways: Ways, containers: readonly Surrounding[]): readonly BridgeNetwork[] {
  const { networks } = ways;
  const isOn = (container: Surrounding, network: string) => container.networks.some(({ name }) => name === network);
  const found = networks.filter(({ network }) => containers.some((each) => isOn(each, network)));
  const needed = found.filter(
    (one) =>
      wayOf(one, ways) !== undefined || containers.some((each) => isOn(each, one.network) && !canReach(each, ways)),
  );
  return found.length > 0 ? needed : networks;
}

/**
 * Whether a container on a network gets an answer, and which.
 *
 * @param inside what one got; undefined where none was to be started
 */
export function checkReach(
  network: BridgeNetwork,
  ways: Ways,
  inside: Inside | undefined,
  { networkUp, engine }: Commands,
): Finding {
  const name = `a container on ${network.network}`;
  const way = wayOf(network, ways);
  const remedy = wayTo(ways, networkUp, {
    join: (home) =>
      `put it on the network of our container: ${engine} ${shellWords(["network", "connect", home])} <container>`,
    isRulesToo: !network.internal,
  });
  if (inside?.kind === "unasked") return finding("reach", "warning", `${name}: ${inside.why}`, inside.remedy);
  if (inside === undefined) {
    if (way !== undefined) return finding("reach", "ok", `${name} has a way to 169.254.170.2: ${way}`);
    return finding("reach", "warning", `${name} has no way to 169.254.170.2`, remedy);
  }
  const { credentials, metadata } = inside;
  if (credentials === undefined && metadata === undefined) {
    const text = `${name} got no answer from 169.254.170.2`;
    if (way === undefined) return finding("reach", "warning", text, remedy);
    const see = "see that our server runs and that no firewall stands between: address and rules above";
    return finding("reach", "problem", `${text}, though ${way}`, see);
  }
  const text = `${name} gets from 169.254.170.2: credentials ${say(credentials)}, metadata ${say(metadata)}`;
  if ((inside.server ?? ways.answering) === "other") {
    return finding("reach", "problem", `${text}, by something that is not our server`, "do what address above says");
  }
  if (credentials?.status === 401) {
    // Whoever has the token may be answered: nothing has to be wrong.
    const token = "doctor sends no token: see that your containers have AWS_CONTAINER_AUTHORIZATION_TOKEN";
    return finding("reach", "warning", text, token);
  }
  if (credentials?.status !== 200) return finding("reach", "problem", text, remedyFor(credentials));
  return metadata?.status === 200
    ? finding("reach", "ok", text)
    : finding("reach", "warning", text, remedyFor(metadata));
}

function say(answer: Answered | undefined): string {
  if (answer === undefined) return "no answer";
  if (answer.status === 200) return "yes";
  return `${answer.status}${answer.message ? ` (${answer.message})` : ""}`;
}

/** Our texts have the remedy behind their semicolon. */
function remedyFor(answer: Answered | undefined): string {
  const where = "docs/errors.md and docs/security.md have more";
  if (answer?.message === undefined) return `see what our server's log says of it; ${where}`;
  return answer.message.includes("; ") ? `do what that answer says behind its semicolon; ${where}` : where;
}

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
