import { createRunner } from "../../engine/run-once.ts";
import { TASK_ADDRESS } from "../../network/plan.ts";
import type { DoctorRequest } from "../doctor-request.ts";
import { isOurImage } from "./address.ts";
import type { EngineFacts } from "./engine.ts";
import { checkHiddenEndpoints, checkMetadataVersion, checkTwoEndpoints, checkWays } from "./environments.ts";
import type { Finding } from "./finding.ts";
import { createInside } from "./inside.ts";
import { checkReach, networksInUse } from "./reachability.ts";
import type { Commands } from "./remedies.ts";
import { checkSubnets } from "./subnets.ts";
import { isHome, type Ways } from "./ways.ts";

/** Asked at once from inside: the engine has other things to do. */
const NETWORKS_ASKED_MAX = 8;

type Found = Extract<EngineFacts, { kind: "found" }>;

/**
 * What can only be told with an engine.
 *
 * @param seen what leads to the address, but for what the containers say of it
 * @param ended ends what asks from inside when it aborts
 */
export async function checkContainers(
  engine: Found,
  request: DoctorRequest,
  seen: Omit<Ways, "containers" | "networks" | "home">,
  commands: Commands,
  ended: AbortSignal,
): Promise<readonly Finding[]> {
  const { networks, endpoint, apiVersion } = engine;
  const at = atAddress(engine);
  const own = at !== undefined && (seen.answering === "us" || isOurImage(at.image)) ? at : undefined;
  // Our own container has its identity's keys in its environment, as it should.
  const containers = engine.containers.filter(({ id, image }) => id !== own?.id && !isOurImage(image));
  const home = own && networks.find((one) => isHome(one) && own.networks.some(({ name }) => name === one.network));
  // Its bridge leads the engine's machine there, which may not be seen from where this runs.
  const isOpenToMachine = seen.isOpenToMachine || home !== undefined;
  const ways = { ...seen, containers: engine.containers, networks, home: home?.network, isOpenToMachine };
  const inUse = networksInUse(ways, containers);
  const runner = createRunner(endpoint, apiVersion, ended);
  if (request.startContainers) await runner.removeLeft().catch(() => {});
  const ask = request.startContainers ? createInside(runner, request.image, commands.engine) : undefined;
  const reach = inUse.map(async (network, index) =>
    checkReach(network, ways, index < NETWORKS_ASKED_MAX ? await ask?.(network.network) : undefined, commands),
  );
  return [
    ...(await Promise.all(reach)),
    ...checkSubnets(networks, home?.network, commands),
    ...checkHiddenEndpoints(containers),
    ...checkTwoEndpoints(containers),
    ...checkWays(containers, ways, commands),
    ...checkMetadataVersion(containers),
  ];
}

/** The running container that has 169.254.170.2. */
export function atAddress(engine: EngineFacts) {
  if (engine.kind !== "found") return undefined;
  return engine.containers.find(({ networks }) => networks.some(({ ipv4 }) => ipv4 === TASK_ADDRESS));
}
