import type { DockerConfig, Environment } from "../config/config.ts";
import { connect } from "../engine/client.ts";
import { AppError } from "../errors.ts";
import { shellWords } from "../text.ts";
import { type Chosen, engineBridges, namedBridges } from "./bridges.ts";
import { findIptables, type Iptables, searchPath } from "./iptables.ts";
import { ADD_ADDRESS, DELETE_ADDRESS, readTaskAddress, runIp } from "./loopback.ts";
import { DEFAULT_OPTIONS } from "./options.ts";
import { ifindexOf, nameOf, routeLocalnet, setRouteLocalnet } from "./route-localnet.ts";
import { type Bridge, CHAINS, isInPlace, removeText, restoreText, rulesOf, type Table } from "./rules.ts";
import { isInterfaceName, readState, type State, type UpOptions } from "./state.ts";

export interface NetworkDeps {
  readonly docker: DockerConfig;
  readonly env: Environment;
  /** The command of this program. */
  readonly program: readonly string[];
  /** Take whole lines, each with its newline. */
  readonly out: (lines: string) => void;
  readonly err: (lines: string) => void;
}

/** What exists on this machine. */
export interface Machine {
  readonly path: string;
  readonly state: State | undefined;
  readonly iptables: Iptables | undefined;
  /** The lines of `iptables -S`. */
  readonly listed: Readonly<Record<Table, readonly string[]>>;
  /** 169.254.170.2 on `lo`. */
  readonly address: "ours" | "foreign" | "none";
}

/** One change, which can be run or printed. */
export type Step =
  | { readonly kind: "restore"; readonly text: string }
  | { readonly kind: "sysctl"; readonly name: string; readonly value: string }
  | { readonly kind: "ip"; readonly command: readonly string[] };

/**
 * Reads what exists.
 *
 * @param maySee false without root: then nothing is listed
 * @throws AppError `network-failed`
 */
export async function survey(env: Environment, maySee = true): Promise<Machine> {
  const path = searchPath(env.PATH);
  const state = readState();
  const iptables = await findIptables(path, state?.options.loopback ? undefined : state?.backend);
  const list = async (table: Table) => (maySee && iptables ? iptables.list(table) : []);
  const [raw, filter, nat] = [await list("raw"), await list("filter"), await list("nat")];
  return { path, state, iptables, listed: { raw, filter, nat }, address: await readTaskAddress(path) };
}

/** The options of the last `up`: of the state file, else as the rules show them. */
export function lastOptions({ state, address, listed }: Machine): UpOptions | undefined {
  if (state !== undefined) return state.options;
  const ports = listed.nat.flatMap((line) => /^-A ECS-LOCAL-OUTPUT .* --to-ports (\d+)$/.exec(line)?.[1] ?? []);
  const bridges = listedBridges(listed.filter);
  if (ports[0] !== undefined && bridges.length > 0) return { port: Number(ports[0]), bridges, loopback: false };
  return address === "ours" ? { ...DEFAULT_OPTIONS, loopback: true } : undefined;
}

/** The bridges that our rules let in. */
export function listedBridges(filter: readonly string[]): string[] {
  const names = filter.flatMap((line) => /^-A ECS-LOCAL-INPUT .*-i (\S+) .*-j ACCEPT$/.exec(line)?.[1] ?? []);
  return names.filter(isInterfaceName);
}

/** Whether any of our chains exists. */
export function hasChains({ listed }: Machine): boolean {
  return CHAINS.some(({ table, name }) => listed[table].includes(`-N ${name}`));
}

/**
 * Chooses the bridges and reads their `route_localnet` from before the first `up`.
 *
 * @throws AppError `bad-configuration`, `network-failed`, the engine's errors
 */
export async function chooseBridges(
  options: UpOptions,
  machine: Machine,
  deps: NetworkDeps,
): Promise<{ readonly bridges: readonly Bridge[]; readonly notes: readonly string[] }> {
  if (options.loopback) return { bridges: [], notes: [] };
  const chosen: Chosen = options.bridges
    ? namedBridges(options.bridges)
    : await engineBridges(await connect(deps.docker, deps.env), machine.path);
  const bridges = chosen.bridges.map((name): Bridge => {
    const ifindex = ifindexOf(name);
    if (ifindex === undefined) {
      throw new AppError("network-failed", `the interface ${name} does not exist any more`, { hint: "run this again" });
    }
    const value = routeLocalnet(name) ?? "0";
    const known = machine.state?.bridges.find((bridge) => bridge.ifindex === ifindex)?.was;
    return { name, ifindex, was: value === "1" ? (known ?? wasByRules(name, machine)) : value };
  });
  return { bridges, notes: chosen.notes };
}

/** Without a state file: a bridge that was closed before `up` has a rule that drops the rest of its traffic. */
function wasByRules(name: string, { listed }: Machine): string {
  return rulesOf(1, [{ name, was: "0" }]).some(
    ({ text, chain }) => text.includes("ctstate NEW") && listed.filter.includes(`-A ${chain} ${text}`),
  )
    ? "0"
    : "1";
}

/** The steps from what exists to these options. The guards exist before a bridge is opened, and go after it is closed. */
export function upSteps(options: UpOptions, bridges: readonly Bridge[], machine: Machine): readonly Step[] {
  if (options.loopback) {
    return [...downSteps(machine).filter(({ kind }) => kind !== "ip"), ...(machine.address === "none" ? [add] : [])];
  }
  const gone = goneBridges(bridges, machine);
  const wanted = rulesOf(options.port, bridges);
  const during = rulesOf(options.port, [...bridges, ...gone]);
  const restore = (table: Table, rules = wanted, listed = machine.listed[table]): Step[] =>
    isInPlace(table, rules, listed) ? [] : [{ kind: "restore", text: restoreText(table, rules, listed) }];
  const closing = bridgesToClose(gone);
  return [
    ...(machine.address === "ours" ? [remove] : []),
    ...restore("raw", closing.length > 0 ? during : wanted),
    ...restore("filter", closing.length > 0 ? during : wanted),
    ...bridges.filter(({ name }) => routeLocalnet(name) !== "1").map(({ name }) => sysctl(name, "1")),
    ...restore("nat"),
    ...closing,
    ...(closing.length > 0 ? [...restore("filter"), ...restore("raw")] : []),
  ];
}

/** The steps that remove everything of `up`, in the reverse order. */
export function downSteps({ listed, state, address }: Machine): readonly Step[] {
  const removal = (table: Table): Step[] => {
    const text = removeText(table, listed[table]);
    return text === undefined ? [] : [{ kind: "restore", text }];
  };
  return [
    ...removal("nat"),
    ...bridgesToClose(state?.bridges ?? []),
    ...removal("filter"),
    ...removal("raw"),
    ...(address === "ours" ? [remove] : []),
  ];
}

const add: Step = { kind: "ip", command: ADD_ADDRESS };
const remove: Step = { kind: "ip", command: DELETE_ADDRESS };

function sysctl(name: string, value: string): Step {
  return { kind: "sysctl", name, value };
}

/** The bridges of an earlier `up` that are not wanted any more. */
export function goneBridges(bridges: readonly Bridge[], { state }: Machine): readonly Bridge[] {
  return (state?.bridges ?? []).filter((old) => !bridges.some(({ ifindex }) => ifindex === old.ifindex));
}

/** By the interface's number, whatever its name is now, and only if it is still open. */
function bridgesToClose(bridges: readonly Bridge[]): readonly Step[] {
  return bridges.flatMap(({ ifindex, was }) => {
    const name = nameOf(ifindex);
    return name !== undefined && was !== "1" && routeLocalnet(name) === "1" ? [sysctl(name, was)] : [];
  });
}

/** @throws AppError `network-failed` */
export async function runStep(step: Step, { iptables, path }: Machine): Promise<void> {
  if (step.kind === "sysctl") setRouteLocalnet(step.name, step.value);
  else if (step.kind === "ip") await runIp(step.command, path);
  else await iptables?.restore(step.text);
}

/** A step as a shell takes it. */
export function printStep(step: Step, { iptables }: Machine): string {
  if (step.kind === "ip") return `${shellWords(step.command)}\n`;
  // The dots of a VLAN's name are slashes to sysctl.
  if (step.kind === "sysctl") return `${shellWords(["sysctl", "-w", sysctlText(step.name, step.value)])}\n`;
  return `${iptables?.restoreName ?? "iptables-restore"} --noflush -w 5 <<'EOF'\n${step.text}EOF\n`;
}

/** `net.ipv4.conf.<name>.route_localnet=<value>` */
export function sysctlText(name: string, value: string): string {
  return `net.ipv4.conf.${name.replaceAll(".", "/")}.route_localnet=${value}`;
}
