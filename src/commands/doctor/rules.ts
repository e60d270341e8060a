import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { Environment } from "../../config/config.ts";
import { TASK_ADDRESS } from "../../engine/ip-address.ts";
import { createOwnAddresses, ownContainerTest } from "../../engine/self.ts";
import { hasChains, lastOptions, type NetworkDeps, survey } from "../../network/plan.ts";
import { openInterfaces } from "../../network/route-localnet.ts";
import { readState, type State, type UpOptions } from "../../network/state.ts";
import { readStatus, STATE_LOST, type Status } from "../../network/status.ts";
import type { EngineFacts } from "./engine.ts";
import { type Finding, failed, finding } from "./finding.ts";
import type { Commands } from "./remedies.ts";

/** What can be seen of the rules of `network up`. */
export type RuleFacts =
  | { readonly kind: "never" }
  /** Inside a container, which does not see the machine. */
  | { readonly kind: "elsewhere" }
  | { readonly kind: "unseen"; readonly why: string }
  | { readonly kind: "failed"; readonly error: unknown }
  | {
      readonly kind: "seen";
      readonly status: Pick<Status, "lines" | "left">;
      /** The options of the last `up`, also without its state file. */
      readonly options?: UpOptions | undefined;
    };

/** Whether everything that `network up` added exists. */
export function checkRules(facts: RuleFacts, { networkUp, doctorAsRoot }: Commands): Finding {
  const notNeeded = "a container at 169.254.170.2 does not need it";
  if (facts.kind === "never") return finding("rules", "ok", `network up was not run; ${notNeeded}`);
  if (facts.kind === "elsewhere") {
    return finding("rules", "ok", `network up cannot be seen from inside a container; ${notNeeded}`);
  }
  if (facts.kind === "unseen") return finding("rules", "warning", facts.why, `to see them, run: ${doctorAsRoot}`);
  if (facts.kind === "failed") return failed("rules", "warning", facts.error);
  const up = `run: ${networkUp ?? "sudo ecs-local-endpoints network down"}`;
  const { lines, left } = facts.status;
  const missing = lines.filter(({ exists }) => !exists);
  const first = missing[0];
  if (first === undefined) {
    if (left.length > 0) return finding("rules", "warning", `left over from network up: ${left.join(", ")}`, up);
    return finding("rules", "ok", `network up is complete: ${lines.length} of ${lines.length} exist`);
  }
  const text = `network up is incomplete: ${missing.length} of ${lines.length} are missing, first: ${first.what}`;
  return finding("rules", "problem", text, up);
}

/** The interfaces of this machine that have 169.254.170.2. */
export function interfacesAtAddress(): readonly string[] {
  const all = Object.entries(networkInterfaces());
  // An address that has a label is listed under that, as `lo:ecs-local`.
  return all.flatMap(([name, of]) => (of?.some(({ address }) => address === TASK_ADDRESS) ? name.split(":", 1) : []));
}

/** Whether this runs in a container. Without an engine, by the files that engines put into containers. */
export function isInContainer(
  engine: EngineFacts,
  env: Environment,
  exists: (path: string) => boolean = existsSync,
): boolean {
  if (engine.kind === "missing") return exists("/.dockerenv") || exists("/run/.containerenv");
  const isOwn = ownContainerTest(env, createOwnAddresses(() => performance.now()).has);
  return engine.containers.some(({ id, networks }) => isOwn({ id, endpoints: networks }));
}

/** The state of `network up`, if it can be read. */
export function readNetworkState(): State | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    return readState();
  } catch {
    // The check `rules` reports it.
    return undefined;
  }
}

/** Reads the rules, which takes root. */
export async function readRules(state: State | undefined, deps: NetworkDeps): Promise<RuleFacts> {
  if (process.platform !== "linux") return { kind: "never" };
  const isRoot = process.geteuid?.() === 0;
  try {
    // Throws for a state that cannot be read.
    readState();
    if (state !== undefined && !isRoot) {
      const why = `network up was run (port ${state.options.port}), and only root sees its rules`;
      return { kind: "unseen", why };
    }
    // In a container root may not see rules either: without a state there are none.
    const machine = isRoot
      ? await survey(deps.env).catch((error) => (state ? Promise.reject(error) : undefined))
      : undefined;
    const exists = machine !== undefined && (state !== undefined || hasChains(machine) || machine.address === "ours");
    if (machine === undefined || !exists) return { kind: "never" };
    const { lines, left } = await readStatus(machine, undefined, deps);
    const status = { lines, left: state ? left : [STATE_LOST, ...left] };
    return { kind: "seen", status, options: lastOptions(machine) };
  } catch (error) {
    return { kind: "failed", error };
  }
}

/** Whether rules may lead 169.254.170.2 to a process here. Without root, judged by an open interface only. */
export function mayBeLed(rules: RuleFacts): boolean {
  const isUnseen = process.platform === "linux" && process.geteuid?.() !== 0;
  return rules.kind !== "never" || (isUnseen && openInterfaces().length > 0);
}
