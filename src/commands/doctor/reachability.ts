import { contains, TASK_ADDRESS } from "../../engine/ip-address.ts";
import type { BridgeNetwork } from "../../network/bridges.ts";
import { shellWords } from "../../text.ts";
import type { Answering } from "../health-client.ts";
import { type Finding, finding } from "./finding.ts";
import type { Commands } from "./remedies.ts";
import type { RunningContainer } from "./running-containers.ts";

/** The answer to a request from inside: the status, with the text of a refusal. */
export interface Answered {
  readonly status: number;
  readonly message?: string | undefined;
}

/** The answers that a container on a network got, or why none could ask. */
export type Inside =
  | {
      readonly kind: "asked";
      readonly credentials: Answered | undefined;
      readonly metadata: Answered | undefined;
      readonly server?: Answering["by"] | undefined;
    }
  | { readonly kind: "unasked"; readonly why: string; readonly remedy: string };

/**
 * The networks of running containers, or all networks if nothing runs. A network without a route is left out if each
 * container on it has a route through another one, as with the network that `compose` writes.
 */
export function networksInUse(routes: Routes, containers: readonly RunningContainer[]): readonly BridgeNetwork[] {
  const { networks } = routes;
  const isOn = (container: RunningContainer, network: string) =>
    container.networks.some(({ name }) => name === network);
  const found = networks.filter(({ network }) => containers.some((each) => isOn(each, network)));
  const needed = found.filter(
    (one) =>
      routeOf(one, routes) !== undefined ||
      containers.some((each) => isOn(each, one.network) && !canReach(each, routes)),
  );
  return found.length > 0 ? needed : networks;
}

/** @param inside the answers from inside; undefined without `--start-containers` */
export function checkReach(
  network: BridgeNetwork,
  routes: Routes,
  inside: Inside | undefined,
  { networkUp, engine }: Commands,
): Finding {
  const name = `a container on ${network.network}`;
  const route = routeOf(network, routes);
  const remedy = routeRemedy(routes, networkUp, {
    join: (home) =>
      `put it on the network of our container: ${engine} ${shellWords(["network", "connect", home])} <container>`,
    isRulesToo: !network.internal,
  });
  if (inside?.kind === "unasked") return finding("reach", "warning", `${name}: ${inside.why}`, inside.remedy);
  if (inside === undefined) {
    if (route !== undefined) return finding("reach", "ok", `${name} has a route to 169.254.170.2: ${route}`);
    return finding("reach", "warning", `${name} has no route to 169.254.170.2`, remedy);
  }
  const { credentials, metadata } = inside;
  if (credentials === undefined && metadata === undefined) {
    const text = `${name} got no answer from 169.254.170.2`;
    if (route === undefined) return finding("reach", "warning", text, remedy);
    const see = "check that our server runs and no firewall is in between: see address and rules above";
    return finding("reach", "problem", `${text}, though ${route}`, see);
  }
  const text = `${name} gets from 169.254.170.2: credentials ${say(credentials)}, metadata ${say(metadata)}`;
  if ((inside.server ?? routes.answering) === "other") {
    return finding("reach", "problem", `${text}, by another program`, "do what address above says");
  }
  if (credentials?.status === 401) {
    const token = "doctor sends no token: check that your containers have AWS_CONTAINER_AUTHORIZATION_TOKEN";
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

/** Our messages have the remedy after a semicolon. */
function remedyFor(answer: Answered | undefined): string {
  const where = "docs/errors.md and docs/security.md have more";
  if (answer?.message === undefined) return `see our server's log; ${where}`;
  return answer.message.includes("; ") ? `do what that answer says after its semicolon; ${where}` : where;
}

/** The routes to 169.254.170.2 on this machine. */
export interface Routes {
  /** All running containers, ours included: another may share its network. */
  readonly containers: readonly RunningContainer[];
  readonly networks: readonly BridgeNetwork[];
  /** The network on which our container has the address, if any. */
  readonly home: string | undefined;
  /** Bridges that the rules of `network up` lead to our server. */
  readonly ledBridges: readonly string[];
  /** Whether an interface of this machine has the address, so that every bridge leads there. */
  readonly isOnMachine: boolean;
  /** Which server answers at the address. */
  readonly answering: Answering["by"];
  /** Whether programs of the machine get there. */
  readonly isOpenToMachine: boolean;
}

/** How a container on a network reaches 169.254.170.2; undefined if it does not. */
export function routeOf(network: BridgeNetwork, routes: Routes): string | undefined {
  if (isHome(network)) return "it is the network of that address";
  if (network.internal) return undefined;
  const { interfaceName } = network;
  if (interfaceName !== undefined && routes.ledBridges.includes(interfaceName))
    return `by the rules for ${interfaceName}`;
  return routes.isOnMachine ? "an interface of this machine has the address" : undefined;
}

/** Whether a running container reaches it through any of its networks. */
export function canReach(container: RunningContainer, routes: Routes): boolean {
  const { networkMode, networks } = container;
  if (networkMode === "none") return false;
  if (networkMode === "host") return routes.isOpenToMachine;
  if (networkMode.startsWith("container:")) {
    const owner = networkMode.slice("container:".length);
    const found = routes.containers.find(({ id, name }) => id === owner || name === owner);
    return found !== undefined && !found.networkMode.startsWith("container:") && canReach(found, routes);
  }
  return networks.some(({ name }) => {
    const on = routes.networks.find(({ network }) => network === name);
    return on !== undefined && routeOf(on, routes) !== undefined;
  });
}

/**
 * The remedy for a container without a route.
 *
 * @param subject.join connects it to our container's network
 * @param subject.isRulesToo whether `network up` would give it a route
 */
export function routeRemedy(
  { home }: Pick<Routes, "home">,
  networkUp: string | undefined,
  subject: { readonly join: (home: string) => string; readonly isRulesToo: boolean },
): string {
  const join = home === undefined ? "put it on a network 169.254.170.0/24 with our container" : subject.join(home);
  return `${join}${networkUp !== undefined && subject.isRulesToo ? `, or run: ${networkUp}` : ""}`;
}

/** Whether a network contains 169.254.170.2. */
export function isHome({ subnets }: BridgeNetwork): boolean {
  return subnets.some((subnet) => contains(subnet, TASK_ADDRESS));
}
