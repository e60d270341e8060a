import { createOnlineSource } from "../aws/lazy-source.ts";
import { createOfflineSource } from "../aws/offline.ts";
import type { Config, Environment } from "../config/config.ts";
import { createRunner } from "../engine/run-once.ts";
import { AppError } from "../errors.ts";
import { ASKED_BY_DEFAULT } from "../network/options.ts";
import { TASK_ADDRESS } from "../network/plan.ts";
import type { NetworkDeps } from "../network/setting.ts";
import { withDeadline } from "../timeout.ts";
import { type AddressFacts, checkAddress, isOurImage, isServed } from "./doctor/address.ts";
import { checkEngine, type EngineFacts, readEngine } from "./doctor/engine.ts";
import { checkHiddenEndpoints, checkMetadataVersion, checkTwoEndpoints, checkWays } from "./doctor/environments.ts";
import { type Finding, toJson, toText } from "./doctor/finding.ts";
import { askFromInside } from "./doctor/from-inside.ts";
import { checkClock, checkIdentity } from "./doctor/identity.ts";
import { checkImage, createInside } from "./doctor/inside.ts";
import { takeInterrupts } from "./doctor/interrupt.ts";
import { listenerOf } from "./doctor/listener.ts";
import { checkPort } from "./doctor/port.ts";
import { checkReach, isHome, networksInUse, type Ways } from "./doctor/reachability.ts";
import { type Commands, createCommands } from "./doctor/remedies.ts";
import {
  checkRules,
  interfacesAtAddress,
  isInContainer,
  mayBeLed,
  type RuleFacts,
  readNetworkState,
  readPort,
  readRules,
} from "./doctor/rules.ts";
import { checkSubnets } from "./doctor/subnets.ts";
import { askHealth } from "./health-client.ts";

/** A credential_process and a slow SSO portal take some seconds; nobody waits for a diagnosis much longer. */
const AWS_MS = 8_000;
/** Before that, so that nothing is left running, and who is late is named. */
const PROCESS_MS = 6_000;
const CLOCK_MS = 5_000;
const RULES_MS = 5_000;

/**
 * `doctor`: finds what keeps containers from credentials and metadata, one line a finding.
 *
 * @returns the exit code: 1 where there is a problem, that of the signal where one ended it
 * @throws AppError `bad-configuration`
 */
export async function doctor(request: DoctorRequest, config: Config, deps: NetworkDeps): Promise<number> {
  checkImage(request.image, request.startContainers ?? false);
  if (request.fromInside) {
    deps.out(`${JSON.stringify(await askFromInside(TASK_ADDRESS, 80))}\n`);
    return 0;
  }
  const interrupt = takeInterrupts();
  const started: Promise<unknown>[] = [];
  try {
    const findings = await Promise.race([diagnose(request, config, deps, started, interrupt.signal), interrupt.code]);
    if (typeof findings === "number") {
      // A container that was started is removed before the program ends, which is soon.
      await Promise.allSettled(started);
      return findings;
    }
    deps.out((request.json ? toJson : toText)(findings));
    return findings.some(({ state }) => state === "problem") ? 1 : 0;
  } finally {
    interrupt.done();
  }
}

/** @param started gets what starts containers: it ends soon after `ended` aborts */
async function diagnose(
  request: DoctorRequest,
  config: Config,
  deps: NetworkDeps,
  started: Promise<unknown>[],
  ended: AbortSignal,
): Promise<readonly Finding[]> {
  const { env, program } = deps;
  const state = readNetworkState();
  const saysPort = request.port !== undefined || Boolean(env.ECS_LOCAL_METADATA_PORT?.trim());
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
  const isInside = isInContainer(engine, env);
  const areLed =
    ruleFacts.kind === "unseen" || (ruleFacts.kind === "seen" && ruleFacts.standing.lines.every((line) => line.stands));
  const led = areLed ? (state?.made ?? []).flatMap((made) => (made.kind === "rules" ? made : [])) : [];
  const address: AddressFacts = {
    ...{ interfaces, answering, container: atAddress(engine), ledPort: led.at(-1)?.port, listenerOf },
    mayBeLed: mayBeLed(ruleFacts),
    isElsewhere: engine.kind === "found" && engine.isElsewhere,
  };
  const port = await readPort(served, isServed(address));
  const recovered = ruleFacts.kind === "seen" ? ruleFacts.asked : undefined;
  const commands = createCommands({
    ...{ program, env, isInContainer: isInside },
    asked: state?.asked ?? recovered ?? (saysPort ? { port: config.port, loopback: false } : ASKED_BY_DEFAULT),
    engine: engine.kind === "found" ? { ...engine, target: engine.endpoint.target } : undefined,
  });
  const isOnMachine = interfaces.length > 0;
  const seen = {
    ledBridges: led.flatMap(({ bridges }) => bridges.map(({ name }) => name)),
    ...{ isOnMachine, answering: answering.by },
    isOpenToMachine: isOnMachine || led.length > 0 || answering.by === "us",
  };
  const asking =
    engine.kind === "found" ? checkContainers(engine, request, seen, commands, ended) : Promise.resolve([]);
  started.push(asking);
  const about = await asking;
  return [
    checkEngine(engine, commands),
    await identity,
    await clock,
    checkPort(port),
    checkAddress(address, commands),
    checkRules(ruleFacts.kind === "never" && isInside ? { kind: "elsewhere" } : ruleFacts, commands),
    ...about,
  ];
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
    const { askSkewMs } = await import("../aws/clock-skew.ts");
    return askSkewMs(config.aws, env, Date.now, CLOCK_MS);
  });
}

function late(what: string): AppError {
  return new AppError("upstream-unavailable", `${what} had no answer in time`, { hint: "run doctor again" });
}

/** What the command line asks of `doctor`. */
export interface DoctorRequest {
  readonly json?: boolean;
  readonly offline?: boolean;
  readonly port?: string;
  readonly bind?: string;
  /** Whether containers may be started to ask from inside. */
  readonly startContainers?: boolean;
  /** The image of those; our own unless given. */
  readonly image?: string;
  /** Whether this is what asks from inside. */
  readonly fromInside?: boolean;
}

/** Asked at once from inside: the engine has other things to do. */
const NETWORKS_ASKED_MAX = 8;

type Found = Extract<EngineFacts, { kind: "found" }>;

/**
 * What can only be told with an engine.
 *
 * @param seen what leads to the address, but for what the containers say of it
 * @param ended ends what asks from inside when it aborts
 */
async function checkContainers(
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
function atAddress(engine: EngineFacts) {
  if (engine.kind !== "found") return undefined;
  return engine.containers.find(({ networks }) => networks.some(({ ipv4 }) => ipv4 === TASK_ADDRESS));
}
