import { lookup } from "node:dns/promises";
import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { Config, Environment } from "../../config/config.ts";
import { canonicalAddress } from "../../engine/ip-address.ts";
import { createOwnAddresses } from "../../engine/own-addresses.ts";
import { ownContainerTest } from "../../engine/own-container.ts";
import { openInterfaces } from "../../network/bridges.ts";
import { FOLDER } from "../../network/folder.ts";
import { TASK_ADDRESS } from "../../network/plan.ts";
import { type NetworkDeps, surveyRules } from "../../network/setting.ts";
import { bootId, readState, type State, statePath } from "../../network/state.ts";
import { LOST, look } from "../../network/status.ts";
import { type Answering, askHealth } from "./ask-health.ts";
import type { EngineFacts } from "./engine.ts";
import { listenerOf } from "./listener.ts";
import { type PortFacts, tryToListen } from "./port.ts";
import type { RuleFacts } from "./rules.ts";

/** The interfaces of this machine that have 169.254.170.2. */
export function interfacesAtAddress(): readonly string[] {
  const all = Object.entries(networkInterfaces());
  // An address that has a label is listed under that, as `lo:ecs-local`.
  return all.flatMap(([name, of]) => (of?.some(({ address }) => address === TASK_ADDRESS) ? name.split(":", 1) : []));
}

/**
 * Whether this runs in a container of the engine's, from where what `network up` makes is not seen. Where no engine tells,
 * the files say it that engines put into their containers.
 */
export function isInContainer(
  engine: EngineFacts,
  env: Environment,
  exists: (path: string) => boolean = existsSync,
): boolean {
  if (engine.kind === "missing") return exists("/.dockerenv") || exists("/run/.containerenv");
  const isOwn = ownContainerTest(env, createOwnAddresses(() => performance.now()).has);
  return engine.containers.some(({ id, networks }) => isOwn({ id, attachments: networks }));
}

/** What an earlier `network up` wrote, where there is something that can be read. */
export function readNetworkState(): State | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    return readState(statePath(FOLDER), bootId());
  } catch {
    // `rules` says so.
    return undefined;
  }
}

/** What stands of the rules, which only root may ask. */
export async function readRules(state: State | undefined, deps: NetworkDeps): Promise<RuleFacts> {
  if (process.platform !== "linux") return { kind: "never" };
  try {
    if (state === undefined) {
      // Throws for a state that cannot be read.
      readState(statePath(FOLDER), bootId());
      return await readLostRules(deps);
    }
    if (process.geteuid?.() !== 0) {
      return {
        kind: "unseen",
        why: `network up was run (port ${state.asked.port}), and its rules are shown to root only`,
      };
    }
    return { kind: "seen", standing: await look(await surveyRules(deps.env), undefined, deps) };
  } catch (error) {
    return { kind: "failed", error };
  }
}

/** Rules stand on when their state is lost. Who may not ask for them, as in a container, has none. */
async function readLostRules(deps: NetworkDeps): Promise<RuleFacts> {
  const setting = process.geteuid?.() === 0 ? await surveyRules(deps.env).catch(() => undefined) : undefined;
  if (setting === undefined || setting.made.length === 0) return { kind: "never" };
  const { lines, notes, left } = await look(setting, undefined, deps);
  return { kind: "seen", standing: { lines, notes, left: [LOST, ...left] }, asked: setting.asked };
}

/**
 * Whether rules may lead 169.254.170.2 to a process here. Those of `network up --print` have no state and are shown to root
 * alone, but what they open is shown to all; an engine may have opened it as well.
 */
export function mayBeLed(rules: RuleFacts): boolean {
  const isUnseen = process.platform === "linux" && process.geteuid?.() !== 0;
  return rules.kind !== "never" || (isUnseen && openInterfaces().length > 0);
}

/**
 * What is seen of the server's port.
 *
 * @param isServedElsewhere whether our server is at 169.254.170.2
 */
export async function readPort(
  config: Pick<Config, "port" | "bindAddress">,
  isServedElsewhere: boolean,
): Promise<PortFacts> {
  const { port, bindAddress: bind } = config;
  const asked = { "0.0.0.0": "127.0.0.1", "::": "127.0.0.1" }[canonicalAddress(bind)] ?? bind;
  const refusal = tryToListen(bind, port);
  const nobody: Answering = { by: "nobody" };
  const answering = refusal === "EADDRNOTAVAIL" ? nobody : await askHealth(asked, port);
  const listener = refusal === "EADDRINUSE" ? listenerOf(await addressOf(bind), port) : undefined;
  return { bind, port, refusal, answering, isServedElsewhere, listener };
}

/** That of a name as well, which was found when its port was tried. */
function addressOf(bind: string): Promise<string> {
  return lookup(bind).then(
    ({ address }) => address,
    () => bind,
  );
}
