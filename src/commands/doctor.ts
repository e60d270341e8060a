import { createOnlineSource } from "../aws/lazy-source.ts";
import { createOfflineSource } from "../aws/offline.ts";
import type { Config, Environment } from "../config/config.ts";
import { TASK_ADDRESS } from "../engine/ip-address.ts";
import { AppError } from "../errors.ts";
import { DEFAULT_OPTIONS } from "../network/options.ts";
import type { NetworkDeps } from "../network/plan.ts";
import { withTimeout } from "../timeout.ts";
import { type AddressFacts, checkAddress, checkSubnets, isOurImage, isServed } from "./doctor/address.ts";
import { checkEngine, type EngineFacts, readEngine } from "./doctor/engine.ts";
import { checkHiddenEndpoints, checkMetadataVersion, checkRoutes, checkTwoEndpoints } from "./doctor/environments.ts";
import { type Finding, toJson, toText } from "./doctor/finding.ts";
import { askFromInside, checkImage, createInside } from "./doctor/from-inside.ts";
import { checkClock, checkIdentity } from "./doctor/identity.ts";
import { checkPort, readPort } from "./doctor/port.ts";
import { checkReach, isHome, networksInUse, type Routes } from "./doctor/reachability.ts";
import { type Commands, createCommands } from "./doctor/remedies.ts";
import {
  checkRules,
  interfacesAtAddress,
  isInContainer,
  mayBeLed,
  type RuleFacts,
  readNetworkState,
  readRules,
} from "./doctor/rules.ts";
import { askHealth } from "./health-client.ts";

/** A credential_process or a slow SSO portal takes some seconds. */
const AWS_MS = 8_000;
/** Shorter, so that the process is ended and named. */
const PROCESS_MS = 6_000;
const CLOCK_MS = 5_000;
const RULES_MS = 5_000;
/** The most networks that are asked from inside at once. */
const NETWORKS_ASKED_MAX = 8;
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The command line of `doctor`. */
export interface DoctorRequest {
  readonly json?: boolean;
  readonly offline?: boolean;
  readonly port?: string;
  readonly bind?: string;
  readonly startContainers?: boolean;
  readonly image?: string;
  /** Whether this is the process that asks from inside. */
  readonly fromInside?: boolean;
}

type Found = Extract<EngineFacts, { kind: "found" }>;

/**
 * `doctor`: finds what keeps containers from credentials and metadata, one line per finding.
 *
 * @returns the exit code: 1 with a problem, or that of the signal that ended it
 * @throws AppError `bad-configuration`
 */
export async function doctor(request: DoctorRequest, config: Config, deps: NetworkDeps): Promise<number> {
  checkImage(request.image, request.startContainers ?? false);
  if (request.fromInside) {
    deps.out(`${JSON.stringify(await askFromInside(TASK_ADDRESS, 80))}\n`);
    return 0;
  }
  const ended = new AbortController();
  const interrupted = Promise.withResolvers<number>();
  for (const [name, code] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      // The second signal does not wait for the removal of containers.
      if (ended.signal.aborted) process.exit(code);
      ended.abort();
      interrupted.resolve(code);
    });
  }
  const started: Promise<unknown>[] = [];
  const findings = await Promise.race([diagnose(request, config, deps, started, ended.signal), interrupted.promise]);
  if (typeof findings === "number") {
    await Promise.allSettled(started);
    return findings;
  }
  deps.out((request.json ? toJson : toText)(findings));
  return findings.some(({ state }) => state === "problem") ? 1 : 0;
}

/** @param started receives the work that starts containers, which ends soon after `ended` aborts */
async function diagnose(
  request: DoctorRequest,
  config: Config,
  deps: NetworkDeps,
  started: Promise<unknown>[],
  ended: AbortSignal,
): Promise<readonly Finding[]> {
  const { env, program } = deps;
  const state = readNetworkState();
  const hasPort = request.port !== undefined || Boolean(env.ECS_LOCAL_METADATA_PORT?.trim());
  const ledPort = state?.options.loopback === false ? state.options.port : undefined;
  const served = hasPort || ledPort === undefined ? config : { ...config, port: ledPort };
  const identity = askIdentity(config, env);
  const clock = askClock(config, env);
  const [engine, ruleFacts, answering] = await Promise.all([
    readEngine(config, env),
    withTimeout<RuleFacts>(readRules(state, deps), RULES_MS, () => late("the rules")).catch(
      (error: unknown): RuleFacts => ({ kind: "failed", error }),
    ),
    askHealth(TASK_ADDRESS, 80),
  ]);
  const interfaces = interfacesAtAddress();
  const isInside = isInContainer(engine, env);
  const exist = ruleFacts.kind === "seen" && ruleFacts.status.lines.every(({ exists }) => exists);
  const led = ledPort !== undefined && (exist || ruleFacts.kind === "unseen") ? state : undefined;
  const address: AddressFacts = {
    ...{ interfaces, answering, container: atAddress(engine), ledPort: led?.options.port },
    mayBeLed: mayBeLed(ruleFacts),
    isRemote: engine.kind === "found" && engine.isRemote,
  };
  const port = await readPort(served, isServed(address));
  const seenOptions = ruleFacts.kind === "seen" ? ruleFacts.options : undefined;
  const commands = createCommands({
    ...{ program, env, isInContainer: isInside },
    asked: state?.options ?? seenOptions ?? (hasPort ? { port: config.port, loopback: false } : DEFAULT_OPTIONS),
    engine: engine.kind === "found" ? { ...engine, target: engine.endpoint.target } : undefined,
  });
  const isOnMachine = interfaces.length > 0;
  const seen = {
    ledBridges: led?.bridges.map(({ name }) => name) ?? [],
    ...{ isOnMachine, answering: answering.by },
    isOpenToMachine: isOnMachine || led !== undefined || answering.by === "us",
  };
  const containers = engine.kind === "found" ? checkContainers(engine, request, seen, commands, ended) : [];
  started.push(Promise.resolve(containers));
  return [
    checkEngine(engine, commands),
    await identity,
    await clock,
    checkPort(port),
    checkAddress(address, commands),
    checkRules(ruleFacts.kind === "never" && isInside ? { kind: "elsewhere" } : ruleFacts, commands),
    ...(await containers),
  ];
}

function askIdentity(config: Config, env: Environment): Promise<Finding> {
  const now = Date.now;
  const source = config.offline
    ? createOfflineSource({ now })
    : createOnlineSource({ config: config.aws, env, now, processTimeoutMs: PROCESS_MS });
  const whoami = () => withTimeout(source.whoami(), AWS_MS, () => late("the identity"));
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

/**
 * The checks that need an engine.
 *
 * @param seen what leads to the address, apart from containers
 * @param ended ends the containers that ask from inside
 */
async function checkContainers(
  engine: Found,
  request: DoctorRequest,
  seen: Omit<Routes, "containers" | "networks" | "home">,
  commands: Commands,
  ended: AbortSignal,
): Promise<readonly Finding[]> {
  const { networks, endpoint, apiVersion } = engine;
  const at = atAddress(engine);
  const own = at !== undefined && (seen.answering === "us" || isOurImage(at.image)) ? at : undefined;
  // Our own container has the keys of its identity.
  const containers = engine.containers.filter(({ id, image }) => id !== own?.id && !isOurImage(image));
  const home = own && networks.find((one) => isHome(one) && own.networks.some(({ name }) => name === one.network));
  // Its bridge leads the engine's machine there, even if that cannot be seen from here.
  const isOpenToMachine = seen.isOpenToMachine || home !== undefined;
  const routes = { ...seen, containers: engine.containers, networks, home: home?.network, isOpenToMachine };
  const options = { endpoint, apiVersion, image: request.image, cli: commands.engine, ended };
  const ask = request.startContainers ? createInside(options) : undefined;
  const reach = networksInUse(routes, containers).map(async (network, index) =>
    checkReach(network, routes, index < NETWORKS_ASKED_MAX ? await ask?.(network.network) : undefined, commands),
  );
  return [
    ...(await Promise.all(reach)),
    ...checkSubnets(networks, home?.network, commands),
    ...checkHiddenEndpoints(containers),
    ...checkTwoEndpoints(containers),
    ...checkRoutes(containers, routes, commands),
    ...checkMetadataVersion(containers),
  ];
}

/** The running container that has 169.254.170.2. */
function atAddress(engine: EngineFacts) {
  if (engine.kind !== "found") return undefined;
  return engine.containers.find(({ networks }) => networks.some(({ ipv4 }) => ipv4 === TASK_ADDRESS));
}
