import { lookup } from "node:dns/promises";
import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { Config, Environment } from "../../config/config.ts";
import { canonicalAddress } from "../../engine/ip-address.ts";
import { createOwnAddresses, ownContainerTest } from "../../engine/self.ts";
import { openInterfaces } from "../../network/bridges.ts";
import { TASK_ADDRESS } from "../../network/plan.ts";
import { type NetworkDeps, surveyRules } from "../../network/setting.ts";
import { type Asked, bootId, FOLDER, readState, type State, statePath } from "../../network/state.ts";
import { LOST, look, type Standing } from "../../network/status.ts";
import { type Answering, askHealth } from "../health-client.ts";
import type { EngineFacts } from "./engine.ts";
import { type Finding, failed, finding } from "./finding.ts";
import { listenerOf } from "./listener.ts";
import { type PortFacts, tryToListen } from "./port.ts";
import type { Commands } from "./remedies.ts";

/** What of the rules of `network up` can be seen. */
export type RuleFacts =
  | { readonly kind: "never" }
  /** From inside of a container, which has not the machine's own folder of it. */
  | { readonly kind: "elsewhere" }
  | { readonly kind: "unseen"; readonly why: string }
  | { readonly kind: "failed"; readonly error: unknown }
  | {
      readonly kind: "seen";
      readonly standing: Standing;
      /** What the rules say that `network up` was told, where its state is lost. */
      readonly asked?: Asked | undefined;
    };

/** Whether what `network up` made still stands. */
export function checkRules(facts: RuleFacts, { networkUp, doctorAsRoot }: Commands): Finding {
  if (facts.kind === "never") {
    return finding("rules", "ok", "network up was not run; a container at 169.254.170.2 needs none of it");
  }
  if (facts.kind === "elsewhere") {
    return finding("rules", "ok", "not seen from inside of a container; one at 169.254.170.2 needs none of them");
  }
  if (facts.kind === "unseen") return finding("rules", "warning", facts.why, `to see them, run: ${doctorAsRoot}`);
  if (facts.kind === "failed") return failed("rules", "warning", facts.error);
  const up = `run: ${networkUp ?? "sudo ecs-local-endpoints network down"}`;
  const { lines, left } = facts.standing;
  const missing = lines.filter(({ stands }) => !stands);
  if (missing.length === 0 && left.length === 0) {
    return finding("rules", "ok", `all ${lines.length} things that network up made stand`);
  }
  if (missing.length === 0) return finding("rules", "warning", left.join(", "), up);
  const first = missing[0]?.what ?? "";
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
  const amount = missing.length === lines.length ? "none of what network up made stands" : "network up stands by half";
  return finding("rules", "problem", `${amount}: missing is ${first}${more}`, up);
}

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
