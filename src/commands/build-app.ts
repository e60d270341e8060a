import { type AppDeps, createApp } from "../app.ts";
import type { Config } from "../config/config.ts";
import type { Vendor } from "../credentials/vendor.ts";
import type { Container } from "../engine/container.ts";
import type { Inventory } from "../engine/inventory.ts";
import { createOwnNames, defaultGateways, isInContainer, type OwnAddresses } from "../engine/self.ts";
import { createStatsStreams } from "../engine/stats-stream.ts";
import type { Log } from "../log.ts";
import { isTaskArn } from "../metadata/arn.ts";
import { createIntrospection } from "../metadata/introspection.ts";
import { createLookup } from "../metadata/lookup.ts";
import { createDefinitions, roleDefinitionOf } from "../metadata/match-definition.ts";
import { createMetadata } from "../metadata/metadata.ts";
import { createStats } from "../metadata/stats.ts";
import type { readTaskDefinition } from "../metadata/task-definition.ts";
import { createBodies } from "../metadata/task-document.ts";
import { createAgentApi, createProtections } from "../metadata/task-protection.ts";
import { createTasks } from "../metadata/tasks.ts";
import { createRoleRule } from "../routes/guard/allowed-roles.ts";
import { createLabelRole, createTaskRole } from "../routes/guard/caller-role.ts";
import { createTokenRule } from "../routes/guard/token.ts";
import type { RuleName } from "../routes/guard.ts";
import { readMetadataFiles } from "./metadata-files.ts";

/**
 * Connects all parts of the server.
 *
 * @param deps.now milliseconds since 1970; `monotonic` of a clock for deadlines
 * @param deps.readDefinition needed if the configuration names task definitions
 * @param deps.inContainer whether we run in a container; found out at the first need unless given
 * @param deps.without rules of the guard that a test switches off; `unguarded`: every caller may ask
 * @throws AppError `bad-configuration` for a file that cannot be used
 */
export function buildApp(deps: {
  readonly config: Pick<Config, "task" | "access" | "useTaskRole"> & Parameters<typeof readMetadataFiles>[0];
  readonly inventory: Inventory;
  readonly vendor: Vendor;
  readonly own: OwnAddresses;
  readonly isOwn: (container: Container) => boolean;
  readonly log: Log;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly readDefinition?: typeof readTaskDefinition | undefined;
  readonly addressOf: AppDeps["addressOf"];
  readonly portOf?: AppDeps["portOf"];
  readonly streamsMax?: number | undefined;
  readonly inContainer?: boolean;
  readonly without?: readonly RuleName[];
  readonly unguarded?: boolean;
}) {
  const { config, inventory, vendor, own, log, now, monotonic } = deps;
  const { store } = inventory;
  if (!isTaskArn(config.task.taskArn)) {
    const hint = "give one such as arn:aws:ecs:us-west-2:111122223333:task/cluster/0f9de17a6465404e8b1b2356dc13c2f8";
    log.warning("this is not a task's ARN: zone and container ARNs are left out", { variable: "TASK_ARN", hint });
  }
  const files = readMetadataFiles(config, log, deps.readDefinition);
  const bodies = createBodies({
    networks: store.networks,
    get taskOverride() {
      return files.overrides.taskOverride;
    },
    get containerOverride() {
      return files.overrides.containerOverride;
    },
  });
  const { streamsMax } = deps;
  const streams = createStatsStreams({ engine: inventory.engine, store, log, now: monotonic, streamsMax });
  const lookup = createLookup(inventory);
  const hasDefinitions = config.taskDefinitionPaths.length > 0;
  const definitionOf = hasDefinitions ? createDefinitions(files.definitions, log) : undefined;
  const filesRevision = files.revision;
  const tasks = createTasks({ store, bodies, config: config.task, definitionOf, filesRevision, now });
  const protections = createProtections({
    now,
    idsOf: (key) => (tasks.index().get(key) ?? []).map(({ id }) => id),
    isPresent: (id) => store.containers.has(id),
  });

  let inContainer = deps.inContainer;
  const isContained = () => {
    inContainer ??= isInContainer();
    return inContainer;
  };
  const { allowedHosts, allowedNetworks, refuseGateway, allowedRoles, rateLimit } = config.access;
  const callerRule = { inventory, own, isInContainer: isContained, defaultGateways, allowedNetworks, refuseGateway };
  const answer = createApp({
    vendor,
    log,
    callers: inventory,
    metadata: createMetadata({ store, lookup, tasks, stats: createStats(streams), now }),
    agentApi: createAgentApi({ lookup, tasks, protections }),
    introspection: createIntrospection({ inventory, tasks }),
    health: { contact: inventory.contact, session: vendor.session },
    addressOf: deps.addressOf,
    ...(deps.portOf && { portOf: deps.portOf }),
    ...(deps.unguarded
      ? { guard: { allowedHosts } }
      : {
          guard: {
            allowedHosts,
            ownNames: createOwnNames(store, deps.isOwn),
            caller: callerRule,
            ...(deps.without && { without: deps.without }),
          },
          access: {
            token: createTokenRule(config.access, monotonic),
            roles: createRoleRule(allowedRoles),
            labelRole: createLabelRole({ inventory, isInContainer: isContained }),
            taskRole: config.useTaskRole
              ? createTaskRole({
                  inventory,
                  isInContainer: isContained,
                  definitionOf: (container) =>
                    roleDefinitionOf(files.definitions(), container, () => store.containers.values()),
                })
              : undefined,
          },
          rateLimit,
        }),
  });
  return {
    answer,
    close() {
      files.close();
      streams.close();
    },
  };
}
