import { createOfflineSource } from "../../src/aws/offline.ts";
import type { CredentialSource } from "../../src/aws/types.ts";
import { buildApp } from "../../src/commands/build-app.ts";
import { type Environment, parseConfig } from "../../src/config/config.ts";
import { createVendor } from "../../src/credentials/vendor.ts";
import { connect, type Engine } from "../../src/engine/client.ts";
import { createInventory } from "../../src/engine/inventory.ts";
import { contains } from "../../src/engine/ip-address.ts";
import type { OwnAddresses } from "../../src/engine/self.ts";
import { createLog } from "../../src/log.ts";
import { readTaskDefinition } from "../../src/metadata/task-definition.ts";
import type { RuleName } from "../../src/routes/guard.ts";
import { note, noteAnswer, secretsOf } from "./secrets.ts";

interface AppOptions {
  env?: Environment;
  streamsMax?: number;
  /** The wall's clock, in milliseconds. */
  now?: () => number;
  ownId?: string;
  macAddressOf?: (address: string) => string | undefined;
  /** How the engine is found; by the configuration, unless given. */
  connect?: () => Promise<Engine>;
  /** Where credentials come from; dummies, unless given. */
  source?: CredentialSource;
  /** Asks who may ask, as the program does; the machine's addresses are the test's. */
  guarded?: {
    readonly own?: readonly string[];
    readonly ownSubnets?: readonly string[];
    readonly inContainer?: boolean;
    readonly without?: readonly RuleName[];
  };
}

/** The whole application on an engine, without a port: a request says by a header which address it comes from. */
export function startApp(host: string, options: AppOptions = {}) {
  const config = parseConfig({ DOCKER_HOST: host, ...options.env });
  const lines: string[] = [];
  secretsOf(options.env ?? {});
  const log = createLog({ level: "debug", format: "json", write: (text) => lines.push(note(text)) });
  const own = ownAddresses(options.guarded ?? {});
  const isOwn = (container: { readonly id: string }) => container.id === options.ownId;
  const monotonic = () => performance.now();
  const inventory = createInventory({
    connect: options.connect ?? (() => connect(config.docker, {})),
    log,
    now: monotonic,
    isOwn,
    hasAddress: own.has,
    macAddressOf: options.macAddressOf ?? (() => undefined),
  });
  void inventory.start();
  const vendor = createVendor({ source: options.source ?? createOfflineSource({ now: Date.now }), now: Date.now, log });
  const app = buildApp({
    ...{ config, inventory, vendor, own, isOwn, log, monotonic },
    now: options.now ?? Date.now,
    readDefinition: readTaskDefinition,
    addressOf: (request) => request.headers.get("x-test-address") ?? "",
    streamsMax: options.streamsMax,
    inContainer: options.guarded?.inContainer ?? false,
    unguarded: options.guarded === undefined,
    ...(options.guarded?.without && { without: options.guarded.without }),
  });

  async function ask(path: string, address = "127.0.0.1", init: RequestInit = {}) {
    const headers = { host: "169.254.170.2", "x-test-address": address, ...(init.headers as Record<string, string>) };
    const response = await app.answer(new Request(`http://169.254.170.2${path}`, { ...init, headers }));
    noteAnswer(response.status, await response.clone().text());
    const text = await response.text();
    return { status: response.status, type: response.headers.get("content-type"), text, json: parse(text) };
  }

  return {
    ask,
    lines,
    flush: log.flush,
    inventory,
    stop() {
      app.close();
      inventory.close();
      vendor.close();
    },
  };
}

function ownAddresses({ own = [], ownSubnets = [] }: NonNullable<AppOptions["guarded"]>): OwnAddresses {
  return {
    has: (address) => own.includes(address),
    isInContainerSubnet: (address) => ownSubnets.some((cidr) => contains(cidr, address)),
    subnets: () => ownSubnets,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever was answered
function parse(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Asks again until the answer is as wanted, for at most `withinMs`; gives the milliseconds that it took. */
export async function eventually(wanted: () => Promise<boolean> | boolean, withinMs: number): Promise<number> {
  const begin = performance.now();
  while (!(await wanted())) {
    if (performance.now() - begin > withinMs) throw new Error(`not within ${withinMs} ms`);
    await Bun.sleep(10);
  }
  return performance.now() - begin;
}
