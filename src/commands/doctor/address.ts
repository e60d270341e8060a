import { contains, TASK_ADDRESS } from "../../engine/ip-address.ts";
import type { BridgeNetwork } from "../../network/bridges.ts";
import { shellWords } from "../../text.ts";
import type { Answering } from "../health-client.ts";
import { type Finding, finding } from "./finding.ts";
import type { Commands } from "./remedies.ts";

/** What this process sees at 169.254.170.2:80. */
export interface AddressFacts {
  /** The interfaces of this machine that have the address. */
  readonly interfaces: readonly string[];
  readonly answering: Answering;
  /** The container that has the address on a network of the engine. */
  readonly container: { readonly name: string; readonly image: string } | undefined;
  /** If the engine's networks are not on this machine, an answer here is not its container's. */
  readonly isRemote: boolean;
  /** The port to which the rules of `network up` lead. */
  readonly ledPort: number | undefined;
  /** Whether any rules may lead away from the container, so that a refusal may come from elsewhere. */
  readonly mayBeLed: boolean;
}

const RUN = "run our image at that address of a network 169.254.170.0/24 (for Compose: ecs-local-endpoints compose)";
const LISTEN =
  "let its server listen on port 80 of all addresses: without --port, --bind, ECS_LOCAL_METADATA_PORT and ECS_LOCAL_BIND_ADDRESS";

/** Which program is at 169.254.170.2, where SDKs ask. */
export function checkAddress(facts: AddressFacts, commands: Commands): Finding {
  const { answering, container } = facts;
  const place = placeOf(facts);
  const at = `${TASK_ADDRESS}${place === undefined ? "" : ` (${place})`}`;
  if (answering.by === "us") {
    return finding("address", "ok", `our server ${answering.version ? `${answering.version} ` : ""}answers at ${at}`);
  }
  if (answering.by === "other") return checkOther(facts, at, commands);
  if (container !== undefined && isOurImage(container.image)) {
    if (!hasRefused(facts)) return finding("address", "ok", `${at} has our image, which cannot be asked from here`);
    const logs = `${commands.engine} ${shellWords(["logs", container.name])}`;
    const text = `${at} has our image, which refuses port 80: its server does not listen there`;
    return finding("address", "problem", text, `${LISTEN} (${logs} shows its port)`);
  }
  if (place === undefined) {
    return finding("address", "warning", `there is no server at ${at}`, `${RUN}${orRules(commands)}`);
  }
  const remedy = container === undefined ? `start our server: ${commands.server}` : insteadOf(container.name, commands);
  return finding("address", "warning", `${at}, port 80: no answer`, remedy);
}

/** Whether our server has the address. A container of ours that cannot be asked from here counts. */
export function isServed(facts: AddressFacts): boolean {
  const { answering, container } = facts;
  return answering.by === "us" || (container !== undefined && isOurImage(container.image) && !hasRefused(facts));
}

/** Whether the container itself refused the connection. */
function hasRefused({ answering, interfaces, mayBeLed, isRemote }: AddressFacts): boolean {
  const isRefused = answering.by === "none" && answering.isRefused === true;
  return isRefused && interfaces.length === 0 && !mayBeLed && !isRemote;
}

function checkOther({ interfaces, container, ledPort }: AddressFacts, at: string, commands: Commands): Finding {
  const text = `${at}, port 80, is answered by another program`;
  if (container !== undefined) return finding("address", "problem", text, insteadOf(container.name, commands));
  if (ledPort !== undefined || interfaces.length > 0) {
    const see = `see which: sudo ss -ltnp sport = :${ledPort ?? 80}`;
    return finding("address", "problem", text, `${see}; stop it, and start our server: ${commands.server}`);
  }
  const where = "no interface of this machine and no container of this engine has the address";
  return finding("address", "problem", `${text}: ${where}`, `${RUN}${orRules(commands)}`);
}

function placeOf({ interfaces, container, ledPort }: AddressFacts): string | undefined {
  if (container !== undefined) return `container ${container.name}`;
  if (interfaces.length > 0) return `interface ${interfaces.join(", ")}`;
  return ledPort === undefined ? undefined : `led to port ${ledPort} by network up`;
}

function insteadOf(name: string, { engine }: Commands): string {
  return `stop it (${engine} ${shellWords(["stop", name])}), and run our image at that address`;
}

function orRules({ networkUp, server }: Commands): string {
  return networkUp === undefined ? "" : `, or lead it to a server here: ${networkUp} && ${server}`;
}

/** Whether an image is this program or the reference, by its whole name: Compose names a build `<folder>-<service>`. */
export function isOurImage(image: string): boolean {
  return /(^|\/)(amazon-)?ecs-local-(container-)?endpoints([:@]|$)/.test(image);
}

const OURS = "169.254.170.0/24";

/**
 * Networks of the engine's that take addresses of 169.254.170.0/24, but for the one that our container is on.
 *
 * @param home the name of the network on which our container has 169.254.170.2, if any
 */
export function checkSubnets(
  networks: readonly BridgeNetwork[],
  home: string | undefined,
  { engine }: Pick<Commands, "engine">,
): readonly Finding[] {
  const wrong = networks.flatMap(({ network, subnets }) => {
    const overlapping = subnets.find(overlaps);
    if (overlapping === undefined || network === home) return [];
    // Made for our container, which has not been started yet.
    if (home === undefined && overlapping === OURS) return [];
    return finding(
      "subnets",
      "problem",
      `the network ${network} has ${overlapping}, which takes the addresses of ${TASK_ADDRESS}`,
      `give it another subnet: ${engine} ${shellWords(["network", "rm", network])}, once its containers are gone, then make it again without 169.254.170.x`,
    );
  });
  return wrong.length > 0 ? wrong : [finding("subnets", "ok", `no other network takes addresses of ${OURS}`)];
}

/** Two subnets overlap where one contains the first address of the other. */
function overlaps(subnet: string): boolean {
  return contains(OURS, subnet.split("/")[0] ?? "") || contains(subnet, "169.254.170.0");
}
