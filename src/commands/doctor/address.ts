import { TASK_ADDRESS } from "../../network/plan.ts";
import type { Answering } from "./ask-health.ts";
import { type Finding, finding } from "./finding.ts";

/** What is seen at 169.254.170.2:80 from here. */
export interface AddressFacts {
  /** The interfaces of this machine that have the address. */
  readonly interfaces: readonly string[];
  readonly answering: Answering;
  /** The container that has it on a network of the engine's. */
  readonly container: { readonly name: string; readonly image: string } | undefined;
  /** Which process of this machine listens on port 80, as far as it can be told. */
  readonly listener: string | undefined;
}

const START =
  "give our container that address on a network 169.254.170.0/24, or run: sudo ecs-local-endpoints network up";

/** Who is at 169.254.170.2, where SDKs ask. */
export function checkAddress({ interfaces, answering, container, listener }: AddressFacts): Finding {
  const place =
    container !== undefined
      ? `container ${container.name}`
      : interfaces.length > 0
        ? `interface ${interfaces.join(", ")}`
        : undefined;
  const at = `${TASK_ADDRESS}${place === undefined ? "" : ` (${place})`}`;
  if (answering.by === "us") {
    return finding("address", "ok", `our server ${answering.version ? `${answering.version} ` : ""}answers at ${at}`);
  }
  if (answering.by === "other") {
    const who = container === undefined && interfaces.length > 0 ? listener : undefined;
    return finding(
      "address",
      "problem",
      `${at}, port 80, is answered by ${who ?? "something else"}, not by our server`,
      `stop ${who ?? (container ? `the container ${container.name}` : "what answers there")}, or give it another address, and start ours`,
    );
  }
  if (container !== undefined && isOurImage(container.image)) {
    return finding("address", "ok", `${at} has our image, which cannot be asked from here`);
  }
  if (place !== undefined) {
    return finding(
      "address",
      "warning",
      `${at}, port 80: nobody answers`,
      "start our server there, or take the address away",
    );
  }
  return finding("address", "warning", `nobody is at ${at}: containers get no answer there`, START);
}

/** Whether an image is this program, or the one whose place it takes. */
export function isOurImage(image: string): boolean {
  return /(^|\/)(amazon-)?ecs-local-(container-)?endpoints(-[\w.-]+)?([:@]|$)/.test(image);
}
