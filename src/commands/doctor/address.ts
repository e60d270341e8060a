import { TASK_ADDRESS } from "../../network/plan.ts";
import { shellWords } from "../../text.ts";
import type { Answering } from "../health-client.ts";
import { type Finding, finding } from "./finding.ts";
import type { Commands } from "./remedies.ts";

/** What is seen at 169.254.170.2:80 from here. */
export interface AddressFacts {
  /** The interfaces of this machine that have the address. */
  readonly interfaces: readonly string[];
  readonly answering: Answering;
  /** The container that has it on a network of the engine's. */
  readonly container: { readonly name: string; readonly image: string } | undefined;
  /** Whether the engine's networks are not this machine's, so that who answers or refuses here is not its container. */
  readonly isElsewhere: boolean;
  /** The port of this machine to which the rules of `network up` lead, where they stand or may. */
  readonly ledPort: number | undefined;
  /** Whether any rules may lead it away from its container, so that who refuses may be whoever they lead to. */
  readonly mayBeLed: boolean;
  /** Which process of this machine listens on a port of an address, as far as it can be told. */
  readonly listenerOf: (address: string, port: number) => string | undefined;
}

const RUN = "run our image at that address of a network 169.254.170.0/24 (for Compose: ecs-local-endpoints compose)";

const LISTEN =
  "let its server listen on port 80 of all addresses: without --port, --bind, ECS_LOCAL_METADATA_PORT and ECS_LOCAL_BIND_ADDRESS";

/** Who is at 169.254.170.2, where SDKs ask. */
export function checkAddress(facts: AddressFacts, commands: Commands): Finding {
  const { answering, container } = facts;
  const place = placeOf(facts);
  const at = `${TASK_ADDRESS}${place === undefined ? "" : ` (${place})`}`;
  if (answering.by === "us") {
    return finding("address", "ok", `our server ${answering.version ? `${answering.version} ` : ""}answers at ${at}`);
  }
  if (answering.by === "other") return strange(facts, at, commands);
  if (container !== undefined && isOurImage(container.image)) {
    if (!hasRefused(facts)) return finding("address", "ok", `${at} has our image, which cannot be asked from here`);
    const logs = `${commands.engine} ${shellWords(["logs", container.name])}`;
    const text = `${at} has our image, which refuses port 80: no server of ours listens there`;
    return finding("address", "problem", text, `${LISTEN} (${logs} says where it does)`);
  }
  if (place === undefined) {
    return finding(
      "address",
      "warning",
      `nobody is at ${at}: containers get no answer there`,
      `${RUN}${orRules(commands)}`,
    );
  }
  const remedy = container === undefined ? `start our server: ${commands.server}` : insteadOf(container.name, commands);
  return finding("address", "warning", `${at}, port 80: nobody answers`, remedy);
}

/** Whether our server is there, where it can be told; a container of ours that is out of reach counts as such. */
export function isServed(facts: AddressFacts): boolean {
  const { answering, container } = facts;
  return answering.by === "us" || (container !== undefined && isOurImage(container.image) && !hasRefused(facts));
}

/** Whether it is the container that refused, and not what this machine has or leads there. */
function hasRefused({ answering, interfaces, mayBeLed, isElsewhere }: AddressFacts): boolean {
  const isRefused = answering.by === "nobody" && answering.isRefused === true;
  return isRefused && interfaces.length === 0 && !mayBeLed && !isElsewhere;
}

function strange(facts: AddressFacts, at: string, commands: Commands): Finding {
  const { interfaces, container, ledPort, listenerOf } = facts;
  const isHere = ledPort !== undefined || interfaces.length > 0;
  const listener = () => (ledPort === undefined ? listenerOf(TASK_ADDRESS, 80) : listenerOf("127.0.0.1", ledPort));
  const who = container === undefined && isHere ? listener() : undefined;
  const text = `${at}, port 80, is answered by ${who ?? "something else"}, not by our server`;
  if (container !== undefined) {
    return finding("address", "problem", text, insteadOf(container.name, commands));
  }
  if (isHere) {
    const remedy = `stop ${who ?? "it (sudo tells what it is)"}, and start our server: ${commands.server}`;
    return finding("address", "problem", text, remedy);
  }
  const nowhere = "no interface of this machine and no container of this engine has the address";
  return finding("address", "problem", `${text}: ${nowhere}`, `${RUN}${orRules(commands)}`);
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

/**
 * Whether an image is this program, or the one whose place it takes, by its whole name: Compose names what it builds in a
 * folder `ecs-local-endpoints` after that, as `ecs-local-endpoints-web`.
 */
export function isOurImage(image: string): boolean {
  return /(^|\/)(amazon-)?ecs-local-(container-)?endpoints([:@]|$)/.test(image);
}
