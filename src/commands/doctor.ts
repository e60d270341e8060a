import { withDeadline } from "../aws/deadline.ts";
import { createOfflineSource } from "../aws/offline.ts";
import { createOnlineSource } from "../aws/online.ts";
import type { Config, Environment } from "../config.ts";
import { createRunner } from "../engine/run-once.ts";
import { AppError } from "../errors.ts";
import { TASK_ADDRESS } from "../network/plan.ts";
import { checkAddress, isOurImage } from "./doctor/address.ts";
import { askHealth } from "./doctor/ask-health.ts";
import { checkClock } from "./doctor/clock.ts";
import { checkEngine, type EngineFacts, readEngine } from "./doctor/engine.ts";
import { checkHiddenEndpoints, checkMetadataVersion, checkTwoEndpoints, checkWays } from "./doctor/environments.ts";
import { type Finding, toJson, toText } from "./doctor/finding.ts";
import { askFromInside } from "./doctor/from-inside.ts";
import { checkIdentity } from "./doctor/identity.ts";
import { checkImage, createInside } from "./doctor/inside.ts";
import { listenerOf } from "./doctor/listener.ts";
import { interfacesAtAddress, readNetworkState, readPort, readRules } from "./doctor/machine.ts";
import { checkPort } from "./doctor/port.ts";
import { checkReach, networksInUse } from "./doctor/reach.ts";
import { checkRules, type RuleFacts } from "./doctor/rules.ts";
import { checkSubnets } from "./doctor/subnets.ts";
import { isHome, type Ways } from "./doctor/ways.ts";
import type { DoctorRequest } from "./doctor-request.ts";
import type { NetworkDeps } from "./network-setting.ts";

/** A credential_process and a slow SSO portal take some seconds; nobody waits for a diagnosis much longer. */
const AWS_MS = 8_000;
/** Before that, so that nothing is left running, and who is late is named. */
const PROCESS_MS = 6_000;
const CLOCK_MS = 5_000;
const RULES_MS = 5_000;
/** Asked at once from inside: the engine has other things to do. */
const NETWORKS_ASKED_MAX = 8;

/**
 * `doctor`: finds what keeps containers from credentials and metadata, one line a finding.
 *
 * @returns the exit code: 1 where there is a problem
 * @throws AppError `bad-configuration`
 */
export async function doctor(request: DoctorRequest, config: Config, deps: NetworkDeps): Promise<number> {
  checkImage(request.image);
  if (request.fromInside) {
    deps.out(`${JSON.stringify(await askFromInside(`http://${TASK_ADDRESS}`))}\n`);
    return 0;
  }
  // A container that is started is removed before the program ends, which is soon.
  if (request.startContainers)
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  const findings = await diagnose(request, config, deps);
  deps.out((request.json ? toJson : toText)(findings));
  return findings.some(({ state }) => state === "problem") ? 1 : 0;
}

async function diagnose(request: DoctorRequest, config: Config, deps: NetworkDeps): Promise<readonly Finding[]> {
  const { env } = deps;
  const state = readNetworkState();
  const saysPort = request.port !== undefined || env.ECS_LOCAL_METADATA_PORT !== undefined;
  // Without a word of it, the server belongs where the rules lead.
  const served =
    saysPort || state === undefined || state.asked.loopback ? config : { ...config, port: state.asked.port };
  const identity = askIdentity(config, env);
  const clock = askClock(config, env);
  const [engine, ruleFacts, answering] = await Promise.all([
    readEngine(config, env),
    withDeadline<RuleFacts>(readRules(state, deps), RULES_MS, () => late("the rules")).catch(
      (error: unknown): RuleFacts => ({ kind: "failed", error }),
    ),
    askHealth(TASK_ADDRESS, 80),
  ]);
  const interfaces = interfacesAtAddress();
  const port = await readPort(served, answering.by === "us");
  const container = atAddress(engine);
  const areLed =
    ruleFacts.kind === "unseen" || (ruleFacts.kind === "seen" && ruleFacts.standing.lines.every((line) => line.stands));
  const ledBridges = areLed
    ? (state?.made ?? []).flatMap((made) => (made.kind === "rules" ? made.bridges.map(({ name }) => name) : []))
    : [];
  const isOnMachine = interfaces.length > 0;
  const isOpenToMachine = isOnMachine || ledBridges.length > 0 || answering.by === "us";
  const networks = engine.kind === "found" ? engine.networks : [];
  const ways = { networks, ledBridges, isOnMachine, isOpenToMachine };
  const about = engine.kind === "found" ? await checkContainers(engine, request, ways, answering.by === "us") : [];
  return [
    checkEngine(engine),
    await identity,
    await clock,
    checkPort(port),
    checkAddress({ interfaces, answering, container, listener: listenerOf(80) }),
    checkRules(ruleFacts),
    ...about,
  ];
}

/** What can only be told with an engine. */
async function checkContainers(
  engine: Extract<EngineFacts, { kind: "found" }>,
  request: DoctorRequest,
  ways: Ways,
  isAnswered: boolean,
): Promise<readonly Finding[]> {
  const { networks, endpoint, apiVersion } = engine;
  const at = atAddress(engine);
  const own = at !== undefined && (isAnswered || isOurImage(at.image)) ? at : undefined;
  // Our own container has its identity's keys in its environment, as it should.
  const containers = engine.containers.filter(({ id, image }) => id !== own?.id && !isOurImage(image));
  const home = own && networks.find((one) => isHome(one) && own.networks.some(({ name }) => name === one.network));
  const inUse = networksInUse(networks, containers);
  const runner = createRunner(endpoint, apiVersion);
  if (request.startContainers) await runner.removeLeft().catch(() => {});
  const ask = request.startContainers ? createInside(runner, request.image) : undefined;
  const reach = inUse.map(async (network, index) =>
    checkReach(network, ways, index < NETWORKS_ASKED_MAX ? await ask?.(network.network) : undefined),
  );
  return [
    ...(await Promise.all(reach)),
    ...checkSubnets(networks, home?.network),
    ...checkHiddenEndpoints(containers),
    ...checkTwoEndpoints(containers),
    ...checkWays(containers, ways),
    ...checkMetadataVersion(containers),
  ];
}

/** The running container that has 169.254.170.2. */
function atAddress(engine: EngineFacts) {
  if (engine.kind !== "found") return undefined;
  return engine.containers.find(({ networks }) => networks.some(({ ipv4 }) => ipv4 === TASK_ADDRESS));
}

function askIdentity(config: Config, env: Environment): Promise<Finding> {
  const now = Date.now;
  const source = config.offline
    ? createOfflineSource({ now })
    : createOnlineSource({ config: config.aws, env, now, processDeadlineMs: PROCESS_MS });
  const whoami = () => withDeadline(source.whoami(), AWS_MS, () => late("the identity"));
  return checkIdentity(config.offline, whoami, now());
}

function askClock(config: Config, env: Environment): Promise<Finding> {
  return checkClock(config.offline, async () => {
    // With the SDK, which the rest of this does without.
    const { askSkewMs } = await import("../aws/clock.ts");
    return askSkewMs(config.aws, env, Date.now, CLOCK_MS);
  });
}

function late(what: string): AppError {
  return new AppError("upstream-unavailable", `${what} had no answer in time`, { hint: "run doctor again" });
}
