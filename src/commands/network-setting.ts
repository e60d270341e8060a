import type { DockerConfig, Environment } from "../config.ts";
import { connect } from "../engine/connect.ts";
import { AppError } from "../errors.ts";
import type { Journal } from "../network/converge.ts";
import { type Backend, findIptables, searchPath } from "../network/iptables.ts";
import { createMachine, type Machine } from "../network/machine.ts";
import { hasTaskAddress } from "../network/operations.ts";
import { planLoopback, planRules } from "../network/plan.ts";
import { type Asked, bootId, readState, STATE_PATH, type State, writeState } from "../network/state.ts";
import type { Step } from "../network/step.ts";
import { type Chosen, engineBridges, namedBridges } from "./network-bridges.ts";

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
  readonly backend: Backend | undefined;
  readonly machine: Machine;
}

/**
 * Looks at what an earlier call left, and for the programs to work with.
 *
 * @throws AppError `network-failed`
 */
export async function survey(env: Environment): Promise<Setting> {
  const path = searchPath(env.PATH);
  const state = readState(STATE_PATH, bootId());
  const found = await findIptables(path, state?.backend);
  if (found === undefined && state?.backend !== undefined) {
    throw new AppError(
      "network-failed",
      `the rules were made with iptables of the kind ${state.backend}, which is not there any more`,
      {
        hint: "install that iptables again, or restart the machine, which clears them",
      },
    );
  }
  const programs = { iptables: found?.program, ip: Bun.which("ip", { PATH: path }) ?? undefined };
  return { state, backend: found?.backend, machine: createMachine(programs, path) };
}

/**
 * The steps that have to stand, each with what was before us as it was first seen.
 *
 * @throws AppError `bad-configuration`, `network-failed`, the engine's
 */
export async function plan(
  asked: Asked,
  { state, machine }: Setting,
  deps: NetworkDeps,
): Promise<Chosen & { steps: readonly Step[] }> {
  const earlier = state?.steps ?? [];
  if (asked.loopback) {
    const known = earlier.find((step) => step.kind === "address");
    return { steps: planLoopback(known?.was ?? (await hasTaskAddress(machine))), bridges: [], notes: [] };
  }
  const chosen = asked.bridges
    ? namedBridges(asked.bridges)
    : await engineBridges(await connect(deps.docker, deps.env), machine);
  const bridges = chosen.bridges.map((name) => {
    const ifindex = machine.ifindex(name);
    if (ifindex === undefined) {
      throw new AppError("network-failed", `the interface ${name} is not there any more`, { hint: "run this again" });
    }
    const known = earlier.find((step) => step.kind === "sysctl" && step.bridge === name && step.ifindex === ifindex);
    const was = known?.kind === "sysctl" ? known.was : (machine.routeLocalnet(name) ?? "0");
    return { name, ifindex, was };
  });
  return { ...chosen, steps: planRules(asked.port, bridges) };
}

/** What this call knows of ours, and where it writes what it adds. */
export function journalOf({ state, backend }: Setting, asked: Asked): Journal {
  return {
    steps: state?.steps ?? [],
    write(steps) {
      if (state !== undefined && steps === state.steps) return writeState(STATE_PATH, state);
      const next = { version: 1 as const, boot: bootId(), ...(backend && { backend }), asked, steps };
      writeState(STATE_PATH, steps.length === 0 ? undefined : next);
    },
  };
}
