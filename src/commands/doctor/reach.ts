import type { BridgeNetwork } from "../../engine/bridges.ts";
import type { Surrounding } from "../../engine/surroundings.ts";
import { type Finding, finding } from "./finding.ts";
import { type Ways, wayOf } from "./ways.ts";

/** What one request from inside came to: a status, with the text of one that is no success; undefined for no answer. */
export interface Answered {
  readonly status: number;
  readonly message?: string | undefined;
}

/** What a container on a network got, or why none could be asked. */
export type Inside =
  | { readonly kind: "asked"; readonly credentials: Answered | undefined; readonly metadata: Answered | undefined }
  | { readonly kind: "unasked"; readonly why: string; readonly remedy: string };

const REMEDY =
  "put its containers on the network that our container is on, or run: sudo ecs-local-endpoints network up";

/** The networks that matter: those that running containers are on, or all where nothing runs. */
export function networksInUse(
  networks: readonly BridgeNetwork[],
  containers: readonly Surrounding[],
): readonly BridgeNetwork[] {
  const used = new Set(containers.flatMap((container) => container.networks.map(({ name }) => name)));
  const found = networks.filter(({ network }) => used.has(network));
  return found.length > 0 ? found : networks;
}

/**
 * Whether a container on a network gets an answer, and which.
 *
 * @param inside what one got; undefined where none was to be started
 */
export function checkReach(network: BridgeNetwork, ways: Ways, inside: Inside | undefined): Finding {
  const name = `a container on ${network.network}`;
  const way = wayOf(network, ways);
  if (inside?.kind === "unasked") return finding("reach", "warning", `${name}: ${inside.why}`, inside.remedy);
  if (inside === undefined) {
    if (way !== undefined) return finding("reach", "ok", `${name} has a way to 169.254.170.2: ${way}`);
    return finding("reach", "warning", `${name} has no way to 169.254.170.2`, REMEDY);
  }
  const { credentials, metadata } = inside;
  if (credentials === undefined && metadata === undefined) {
    if (way === undefined) return finding("reach", "warning", `${name} got no answer from 169.254.170.2`, REMEDY);
    const remedy = "see that our server runs and that no firewall stands between: address and rules above";
    return finding("reach", "problem", `${name} got no answer from 169.254.170.2, though ${way}`, remedy);
  }
  const text = `${name} gets from 169.254.170.2: credentials ${say(credentials)}, metadata ${say(metadata)}`;
  if (credentials?.status === 200) return finding("reach", "ok", text);
  return finding("reach", "problem", text, "see the text of the answer in docs/errors.md, and the server's log");
}

function say(answer: Answered | undefined): string {
  if (answer === undefined) return "no answer";
  if (answer.status === 200) return "yes";
  return `${answer.status}${answer.message ? ` (${answer.message})` : ""}`;
}
