import { contains, TASK_ADDRESS } from "../../engine/ip-address.ts";
import type { BridgeNetwork } from "../../network/bridges.ts";
import { shellWords } from "../../text.ts";
import { type Finding, finding } from "./finding.ts";
import type { Commands } from "./remedies.ts";

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
