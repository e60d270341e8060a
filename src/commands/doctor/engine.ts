import type { Config, Environment } from "../../config/config.ts";
import { createEngine } from "../../engine/client.ts";
import { discover, type EngineEndpoint } from "../../engine/discover.ts";
import { type BridgeNetwork, bridgeNetworks } from "../../network/bridges.ts";
import { shellWords } from "../../text.ts";
import { type Finding, failed, finding } from "./finding.ts";
import type { Commands } from "./remedies.ts";
import { type RunningContainers, readProduct, readRunningContainers } from "./running-containers.ts";

const LIST_MS = 3_000;

/** The engine's version, or why there is none. */
export type EngineFacts =
  | ({
      readonly kind: "found";
      readonly endpoint: EngineEndpoint;
      readonly apiVersion: string;
      readonly product: string;
      /** Whether its networks are not this machine's, as those of a rootless one. */
      readonly isRemote: boolean;
      readonly networks: readonly BridgeNetwork[];
    } & RunningContainers)
  | { readonly kind: "missing"; readonly error: unknown };

/** Asks the engine for all that the checks need of it. Never throws; bounded by the engine's own deadlines. */
export async function readEngine({ docker }: Pick<Config, "docker">, env: Environment): Promise<EngineFacts> {
  try {
    const endpoint = discover(docker, env);
    const engine = await createEngine(endpoint, docker.apiVersion);
    const [product, networks, found] = await Promise.all([
      readProduct(engine),
      bridgeNetworks(engine),
      readRunningContainers(engine, AbortSignal.timeout(LIST_MS)),
    ]);
    const { apiVersion, place } = engine;
    const facts = { endpoint, apiVersion, product, isRemote: !place.addressesAreLocal, networks };
    return { kind: "found", ...facts, ...found };
  } catch (error) {
    return { kind: "missing", error };
  }
}

/** Which engine there is, or what was tried. */
export function checkEngine(facts: EngineFacts, { engine: cli }: Pick<Commands, "engine">): Finding {
  if (facts.kind === "missing") {
    return failed("engine", "problem", facts.error, "start the engine, or set DOCKER_HOST to another");
  }
  const { product, endpoint, apiVersion, containers, unread } = facts;
  const running = containers.length + unread.length;
  const text = `${product} at ${endpoint.target}, API ${apiVersion}, ${running} containers running`;
  const [first] = unread;
  if (first === undefined) return finding("engine", "ok", text);
  const names = unread.map(({ name }) => name).join(", ");
  const remedy = `check whether the engine shows it: ${cli} ${shellWords(["inspect", first.name])}`;
  return finding(
    "engine",
    "warning",
    `${text}, left out of the checks: ${names} (${first.error.publicMessage})`,
    remedy,
  );
}
