import { TASK_ADDRESS } from "../engine/ip-address.ts";
import { shellWords } from "../text.ts";
import { DEFAULT_OPTIONS, optionWords } from "./options.ts";
import { chooseBridges, goneBridges, hasChains, lastOptions, type Machine, type NetworkDeps, survey } from "./plan.ts";
import { ifindexOf, nameOf, routeLocalnet } from "./route-localnet.ts";
import { CHAINS, foreignJumps, JUMPS, lineOf, rulesOf } from "./rules.ts";
import type { UpOptions } from "./state.ts";

/** The note of a status without a state file. */
export const STATE_LOST = "the state file of network up is missing: run network up again";

export interface StatusLine {
  readonly what: string;
  readonly exists: boolean;
}

export interface Status {
  readonly lines: readonly StatusLine[];
  readonly notes: readonly string[];
  /** What exists of an earlier `up` and is not asked for now. */
  readonly left: readonly string[];
  /** The options of an `up` that adds what is missing. */
  readonly options: readonly string[];
}

/**
 * Compares what exists with the given options, or with those of the last `up`.
 *
 * @throws AppError `bad-configuration`, `network-failed`, the engine's errors
 */
export async function readStatus(machine: Machine, given: UpOptions | undefined, deps: NetworkDeps): Promise<Status> {
  const last = lastOptions(machine);
  const isNamed = given !== undefined && (given.loopback || given.bridges !== undefined);
  const asked = isNamed ? given : { ...(last ?? DEFAULT_OPTIONS), ...given };
  // A bridge of the last up may not exist any more; one on the command line is an error.
  const gone = isNamed ? [] : (asked.bridges ?? []).filter((name) => ifindexOf(name) === undefined);
  const options = asked.bridges ? { ...asked, bridges: asked.bridges.filter((name) => !gone.includes(name)) } : asked;
  const { bridges, notes } = await chooseBridges(options, machine, deps);
  const lines: StatusLine[] = gone.map((name) => ({
    what: `the interface ${name} of network up exists`,
    exists: false,
  }));
  const left: string[] = [];
  if (options.loopback) {
    lines.push({ what: `${TASK_ADDRESS} is an address of lo`, exists: machine.address !== "none" });
    if (hasChains(machine)) left.push("the rules of an earlier network up exist");
  } else {
    const rules = [...JUMPS, ...rulesOf(options.port, bridges)];
    for (const rule of rules) {
      lines.push({ what: rule.purpose, exists: machine.listed[rule.table].includes(lineOf(rule)) });
    }
    for (const { name } of bridges) {
      lines.push({ what: `net.ipv4.conf.${name}.route_localnet is 1`, exists: routeLocalnet(name) === "1" });
    }
    for (const { table, name } of CHAINS) {
      const own = machine.listed[table].filter((line) => line.startsWith(`-A ${name} `));
      const others = own.filter((line) => !rules.some((rule) => rule.table === table && lineOf(rule) === line)).length;
      if (others > 0) left.push(`${name} has ${others} other rule${others === 1 ? "" : "s"}`);
    }
    if (machine.address === "ours") left.push(`${TASK_ADDRESS} is an address of lo, by network up --loopback`);
  }
  for (const { ifindex } of goneBridges(bridges, machine)) {
    const name = nameOf(ifindex);
    if (name && routeLocalnet(name) === "1") left.push(`net.ipv4.conf.${name}.route_localnet is 1`);
  }
  return { lines, notes, left, options: optionWords(options) };
}

/**
 * `network status`.
 *
 * @returns the exit code: 1 if something is missing
 */
export async function status(isJson: boolean, given: UpOptions | undefined, deps: NetworkDeps): Promise<number> {
  const machine = await survey(deps.env);
  const { lines, notes, left, options } = await readStatus(machine, given, deps);
  const lost = machine.state === undefined && hasChains(machine) ? [STATE_LOST] : [];
  const foreign = (["raw", "filter", "nat"] as const).flatMap((table) =>
    foreignJumps(table, machine.listed[table]).map(
      ({ line }) => `another program's rule leads here: ${line} (${table})`,
    ),
  );
  const all = [...notes, ...lost, ...left.map((what) => `left over from an earlier up: ${what}`), ...foreign];
  const missing = lines.filter(({ exists }) => !exists).length;
  if (isJson) deps.out(`${JSON.stringify({ complete: missing === 0, things: lines, notes: all })}\n`);
  else {
    const command = shellWords(["network", "up", ...options]);
    const end = missing === 0 ? "complete" : `${missing} of ${lines.length} are missing: run ${command}`;
    const shown = lines.map(({ what, exists }) => `${exists ? "ok     " : "missing"}  ${what}`);
    deps.out([...shown, ...all.map((note) => `note     ${note}`), `${end}\n`].join("\n"));
  }
  return missing === 0 ? 0 : 1;
}
