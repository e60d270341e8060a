import { basename } from "node:path";
import type { DockerConfig, Environment } from "../config/config.ts";
import { connect } from "../engine/client.ts";
import { AppError } from "../errors.ts";
import { type Chosen, engineBridges, namedBridges } from "./bridges.ts";
import type { Journal } from "./converge.ts";
import { type Backend, findIptables, findOther, searchPath } from "./iptables.ts";
import { createMachine, type Machine } from "./machine.ts";
import { hasTaskAddress, isAddressMarked } from "./operations.ts";
import { ASKED_BY_DEFAULT } from "./options.ts";
import { type Plan, stepsOf } from "./plan.ts";
import { recover, recoverAddress } from "./recover.ts";
import { type Asked, bootId, FOLDER, readState, type State, statePath, writeState } from "./state.ts";
import { readTables, type TableRule } from "./tables.ts";

export interface NetworkDeps {
  readonly docker: DockerConfig;
  readonly env: Environment;
  /** How this program is run. */
  readonly program: readonly string[];
  /** Take whole lines, already ended. */
  readonly out: (lines: string) => void;
  readonly err: (lines: string) => void;
}

/** What there is to work with. */
export interface Setting {
  readonly state: State | undefined;
  /** What may stand of earlier calls, oldest first. */
  readonly made: readonly Plan[];
  /** Bridges of those that are open, where nothing says whether they were before us. */
  readonly unsure: readonly string[];
  /** What an earlier `up` was told, as far as it is known. */
  readonly asked: Asked | undefined;
  readonly backend: Backend | undefined;
  /** What that one is called. */
  readonly iptables: string;
  /** Whether there is the program `ip`. */
  readonly hasIp: boolean;
  readonly machine: Machine;
  /** Every rule of the tables that we have a chain in; none where they were not read. */
  readonly rules: readonly TableRule[];
}

/**
 * Looks at what an earlier call left, and for the programs to work with.
 *
 * @param maySee whether rules are shown to this process, so that they say which iptables made them where no state does
 * @throws AppError `network-failed`
 */
export async function survey(env: Environment, maySee = false): Promise<Setting> {
  const path = searchPath(env.PATH);
  const state = readState(statePath(FOLDER), bootId());
  const backend = state?.made.some(({ kind }) => kind === "rules") ? state.backend : undefined;
  const inUse = await findIptables(path, backend);
  if (inUse === undefined && backend !== undefined) {
    throw new AppError(
      "network-failed",
      `the rules were made with iptables of the kind ${backend}, which is not there any more`,
      {
        hint: "install that iptables again, or restart the machine, which clears them",
      },
    );
  }
  const other = maySee && backend === undefined ? await findOther(path, inUse) : undefined;
  const found = other ?? inUse;
  const programs = { iptables: found?.program, ip: Bun.which("ip", { PATH: path }) ?? undefined };
  const machine = createMachine(programs, path);
  return {
    ...{ state, made: state?.made ?? [], unsure: [], asked: state?.asked },
    ...{ backend: found?.backend, iptables: basename(found?.program ?? "iptables") },
    ...{ hasIp: programs.ip !== undefined, machine, rules: [] },
  };
}

/**
 * The same, and what the rules themselves say beyond the state, which takes root to ask: it may be lost, or commands of
 * `--print` have been run. Of rules that cannot be read nothing is known, so nothing may go by them.
 *
 * @throws AppError `network-failed`
 */
export async function surveyRules(env: Environment): Promise<Setting> {
  const setting = await survey(env, true);
  const { state, made, backend, hasIp, machine } = setting;
  const isKnown = made.some(({ kind }) => kind === "address");
  const address = hasIp && !isKnown ? await recoverAddress(machine) : [];
  const known = made.toReversed().flatMap((plan) => (plan.kind === "rules" ? plan.bridges : []));
  const rules = backend === undefined ? [] : await readTables(machine);
  const { plans, asked, unsure } = recover(rules, machine, known);
  const told = asked ?? (address.length > 0 ? { ...ASKED_BY_DEFAULT, loopback: true } : undefined);
  // The state comes last, because it knows what was before us.
  return { ...setting, made: [...address, ...plans, ...made], asked: state?.asked ?? told, unsure, rules };
}

/**
 * What has to stand, with what was before us as it was first seen.
 *
 * @throws AppError `bad-configuration`, `network-failed`, the engine's
 */
export async function plan(
  asked: Asked,
  { made, machine }: Setting,
  deps: NetworkDeps,
): Promise<Chosen & { plan: Plan }> {
  if (asked.loopback) {
    const was = (await hasTaskAddress(machine)) && !(await isAddressMarked(machine));
    return { plan: { kind: "address", was }, bridges: [], notes: [] };
  }
  const chosen = asked.bridges
    ? namedBridges(asked.bridges)
    : await engineBridges(await connect(deps.docker, deps.env), machine);
  const earlier = stepsOf(made);
  const bridges = chosen.bridges.map((name) => {
    const ifindex = machine.ifindex(name);
    if (ifindex === undefined) {
      throw new AppError("network-failed", `the interface ${name} is not there any more`, { hint: "run this again" });
    }
    const known = earlier.find((step) => step.kind === "sysctl" && step.ifindex === ifindex);
    const value = machine.routeLocalnet(name) ?? "0";
    // Where it is closed nobody counts on it any more, whatever it was.
    const was = known?.kind === "sysctl" && value === "1" ? known.was : value;
    return { name, ifindex, was };
  });
  return { ...chosen, plan: { kind: "rules", port: asked.port, bridges } };
}

/** What this call knows of ours, and where it writes what it adds. */
export function journalOf({ state, made, backend }: Setting, asked: Asked): Journal {
  const path = statePath(FOLDER);
  return {
    plans: made,
    write(plans) {
      if (plans === made) return writeState(path, state);
      const next = { version: 2 as const, boot: bootId(), ...(backend && { backend }), asked, made: plans };
      writeState(path, plans.length === 0 ? undefined : next);
    },
  };
}

/** What to know of bridges whose state was lost. */
export function noteUnsure({ unsure }: Setting): readonly string[] {
  return unsure.map(
    (name) => `net.ipv4.conf.${name}.route_localnet is 1 and taken for somebody else's: it stays so after down`,
  );
}
