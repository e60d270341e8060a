import { checkAuthorities } from "../aws/ca-bundle.ts";
import { createOnlineSource } from "../aws/lazy-source.ts";
import { createOfflineSource } from "../aws/offline.ts";
import { unusableProxies } from "../aws/proxy.ts";
import type { Config, Environment } from "../config/config.ts";
import { misnamedEndpoints, unknownVariables } from "../config/unknown-variables.ts";
import { readRoles } from "../credentials/role-options.ts";
import { createVendor } from "../credentials/vendor.ts";
import { createInventory } from "../engine/inventory.ts";
import { macAddressOf } from "../engine/podman.ts";
import { createOwnAddresses, isInContainer, ownContainerTest } from "../engine/self.ts";
import { createLog } from "../log.ts";
import { buildApp } from "./build-app.ts";
import { cannotListen, reachOf, sayIdentity, warnOfPublishedPort } from "./startup-log.ts";

/** Leaves the first answers alone: loading the SDK takes the one thread for some 20 ms. */
const WARM_AFTER_MS = 150;
/** Lets what was asked as the port opened be answered first. */
const WATCH_AFTER_MS = 1;
/** Longer than the slowest answer (1.2 s for a sample), and with the rest of the end within 1.5 s of `docker stop`. */
const DRAIN_MS = 1_220;
/** Longer than the slowest answer (1.2 s for a sample), so that Bun never cuts one off. */
const IDLE_TIMEOUT_S = 30;
/** Nothing that is asked here has a body worth more. */
const BODY_BYTES_MAX = 64 * 1024;

export interface Running {
  readonly port: number;
  /** Answers what has been asked, for at most 1.2 s, and ends. */
  readonly stop: (signal: string) => Promise<void>;
}

/**
 * Starts the server.
 *
 * @param writeLog takes the log's lines
 * @throws AppError `bad-configuration` or `cannot-listen`: nothing but a bad start ends the process
 */
export async function serve(config: Config, env: Environment, writeLog: (lines: string) => void): Promise<Running> {
  const now = Date.now;
  const monotonic = () => performance.now();
  const log = createLog({ level: config.logLevel, format: config.logFormat, write: writeLog });
  for (const variable of unknownVariables(env))
    log.warning("this variable is not known and has no effect", { variable });
  for (const { variable, right } of misnamedEndpoints(env))
    log.warning("this variable is not known and has no effect", { variable, hint: `set ${right} instead` });
  for (const variable of unusableProxies(env))
    log.warning("this variable names no HTTP proxy and has no effect", { variable });
  const own = createOwnAddresses(monotonic);
  const isOwn = ownContainerTest(env, own.has);
  const inventory = createInventory({
    connect: async () => {
      const { connect } = await import("../engine/client.ts");
      return connect(config.docker, env);
    },
    log,
    now: monotonic,
    isOwn,
    hasAddress: own.has,
    macAddressOf,
    onLive: warnOfPublishedPort({ store: () => inventory.store, isOwn, config, log }),
  });
  if (config.docker.host === undefined) {
    const { contextEndpoint } = await import("../engine/discover.ts");
    contextEndpoint(config.docker, env);
  }
  // Loading the schema of a task definition takes a millisecond of the start.
  const files = config.taskDefinitionPaths.length > 0 ? await import("../metadata/task-definition.ts") : undefined;
  const roles = readRoles(config.rolesPath);
  if (!config.offline) checkAuthorities(env);
  const source = config.offline
    ? createOfflineSource({ now })
    : createOnlineSource({ config: { ...config.aws, roles }, env, now });
  const vendor = createVendor({ source, now, monotonic, log });
  let server: Bun.Server<undefined> | undefined;
  const app = buildApp({
    ...{ config, inventory, vendor, own, isOwn, log, now, monotonic },
    readDefinition: files?.readTaskDefinition,
    addressOf: (request) => server?.requestIP(request)?.address ?? "",
    portOf: (request) => server?.requestIP(request)?.port ?? 0,
  });
  const close = () => {
    vendor.close();
    app.close();
    inventory.close();
  };
  try {
    const { port, bindAddress: hostname } = config;
    server = Bun.serve({
      port,
      // Without a name Bun listens on both families, and where the kernel has no IPv6, on what there is. `::` fails there.
      hostname: hostname === "::" ? undefined : hostname,
      // By default, Bun shares a taken port: half of the requests would go to the other process.
      reusePort: false,
      development: false,
      idleTimeout: IDLE_TIMEOUT_S,
      maxRequestBodySize: BODY_BYTES_MAX,
      fetch: app.answer,
    });
  } catch (cause) {
    close();
    throw await cannotListen(config, cause);
  }
  const watching = setTimeout(() => {
    log.info("listening", {
      address: config.bindAddress,
      port: config.port,
      reach: reachOf(config.bindAddress, own.subnets, isInContainer),
      identity: config.offline ? "dummy (offline)" : undefined,
    });
    void inventory.start();
  }, WATCH_AFTER_MS);
  const warming = setTimeout(() => void sayIdentity(source, vendor, log), config.offline ? 0 : WARM_AFTER_MS);

  return {
    port: config.port,
    async stop(signal) {
      log.info("stopping", { signal });
      clearTimeout(watching);
      clearTimeout(warming);
      await Promise.race([server?.stop(), Bun.sleep(DRAIN_MS)]);
      await server?.stop(true);
      close();
      log.flush();
    },
  };
}
