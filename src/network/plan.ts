import {
  type AddressStep,
  type ChainStep,
  keyOf,
  type RuleStep,
  type Step,
  type SysctlStep,
  type Table,
} from "./step.ts";

/** The address of ECS, at which SDKs and programs ask. */
export const TASK_ADDRESS = "169.254.170.2";

/** A bridge whose containers are to reach us. */
export interface Bridge {
  readonly name: string;
  /** Left out of one that went away: its rules stand, and there is nothing to close. */
  readonly ifindex?: number;
  /** Its `route_localnet` before us. */
  readonly was: string;
}

/** What an `up` is to bring about, which says all of its steps. */
export type Plan =
  | { readonly kind: "rules"; readonly port: number; readonly bridges: readonly Bridge[] }
  /** The alternative without iptables; `was` says that the address was there before us. */
  | { readonly kind: "address"; readonly was: boolean };

const LOOPBACK = "127.0.0.0/8";
/** The comment of each rule of ours. */
export const MARK = "ecs-local-endpoints";
const COMMENT = ["-m", "comment", "--comment", MARK];
const TO_TASK = ["-d", `${TASK_ADDRESS}/32`, "-p", "tcp", "-m", "tcp", "--dport", "80"];

/** Our chains, and where each hangs. */
export const CHAINS = {
  guard: { table: "raw", hook: "PREROUTING", chain: "ECS-LOCAL-GUARD", entry: ["!", "-i", "lo"] },
  input: { table: "filter", hook: "INPUT", chain: "ECS-LOCAL-INPUT", entry: ["!", "-i", "lo", "-d", LOOPBACK] },
  output: { table: "nat", hook: "OUTPUT", chain: "ECS-LOCAL-OUTPUT", entry: TO_TASK },
  prerouting: { table: "nat", hook: "PREROUTING", chain: "ECS-LOCAL-PREROUTING", entry: TO_TASK },
} as const;

type ChainName = keyof typeof CHAINS;

/** The steps of plans, oldest first, each once: as the last of them has it, which knows of the others. */
export function stepsOf(plans: readonly Plan[]): readonly Step[] {
  const steps = plans.flatMap((plan) =>
    plan.kind === "rules" ? planRules(plan.port, plan.bridges) : planLoopback(plan.was),
  );
  return [...new Map(steps.map((step) => [keyOf(step), step])).values()];
}

/**
 * What has to stand so that `169.254.170.2:80` leads to a port of 127.0.0.1, in the order in which it is made: what keeps
 * strangers out of loopback, and containers out of the rest of it, stands before a bridge may lead there, and goes after it.
 *
 * @param port of our server on 127.0.0.1
 * @param bridges from which containers come; the machine's own programs are always led
 */
export function planRules(port: number, bridges: readonly Bridge[]): readonly Step[] {
  const to = `127.0.0.1:${port}`;
  return [
    ...chain("guard", [
      // The rule that kube-proxy has, CVE-2020-8558. Raw comes before every DNAT, so it sees where a packet was really sent.
      rule("guard", `what comes from outside for ${LOOPBACK} is dropped`, [
        ...["!", "-i", "lo", "!", "-s", LOOPBACK, "-d", LOOPBACK],
        ...drop,
      ]),
      // Without a filter of reverse paths the kernel takes any of it but 127.0.0.1. A VRF that has it as an address sends so itself.
      rule("guard", `what comes from outside for ${LOOPBACK} in its name is dropped`, [
        ...["!", "-i", "lo", "-s", LOOPBACK, "-d", LOOPBACK],
        ...["-m", "addrtype", "!", "--src-type", "LOCAL", "--limit-iface-in"],
        ...drop,
      ]),
      ...bridges.map(({ name }) =>
        rule("guard", `what comes from ${name} in the name of ${LOOPBACK} is dropped`, [
          ...["-i", name, "-s", LOOPBACK],
          ...drop,
        ]),
      ),
    ]),
    ...chain(
      "input",
      bridges.flatMap(({ name, was }) => [
        // First, so that it comes before the drop of an earlier run with another port.
        rule(
          "input",
          `a firewall lets ${name} in to ${to}`,
          [
            ...["-i", name, "-d", "127.0.0.1/32", "-p", "tcp", "-m", "tcp", "--dport", String(port)],
            ...[...COMMENT, "-j", "ACCEPT"],
          ],
          true,
        ),
        // Others' DNAT to loopback was dead until we set the sysctl. Where it was set already, somebody may count on it.
        ...(was === "1"
          ? []
          : [
              rule("input", `${name} is let in to nothing else of ${LOOPBACK}`, [
                ...["-i", name, "-d", LOOPBACK, "-m", "conntrack", "--ctstate", "NEW"],
                ...drop,
              ]),
            ]),
      ]),
    ),
    ...bridges.flatMap(sysctl),
    ...chain("output", [
      rule("output", `${TASK_ADDRESS}:80 leads this machine's programs to ${to}`, [
        ...TO_TASK,
        ...[...COMMENT, "-j", "REDIRECT", "--to-ports", String(port)],
      ]),
    ]),
    ...chain(
      "prerouting",
      bridges.map(({ name }) =>
        rule("prerouting", `${TASK_ADDRESS}:80 leads the containers on ${name} to ${to}`, [
          ...["-i", name, ...TO_TASK],
          ...[...COMMENT, "-j", "DNAT", "--to-destination", to],
        ]),
      ),
    ),
  ];
}

/** The alternative without iptables: the address itself, for a server that listens on it. */
export function planLoopback(was: boolean): readonly AddressStep[] {
  return [{ kind: "address", what: `${TASK_ADDRESS} is an address of lo`, was }];
}

/** What has a name of ours whatever the bridges and the port: it is found without a state file. */
export function planFrame(): readonly Step[] {
  return (Object.keys(CHAINS) as ChainName[]).flatMap((name) => chain(name, []));
}

const drop = [...COMMENT, "-j", "DROP"];

/** A chain is filled before anything leads into it. */
function chain(name: ChainName, rules: readonly RuleStep[]): readonly Step[] {
  const { table, hook, chain: called, entry } = CHAINS[name];
  const made: ChainStep = { kind: "chain", what: `the chain ${called} of ${table}`, table, chain: called };
  const jump = ruleOf(table, hook, `${hook} of ${table} asks ${called}`, [...entry, ...COMMENT, "-j", called], true);
  return [made, ...rules, { ...jump, leadsTo: called }];
}

function rule(name: ChainName, what: string, args: readonly string[], first = false): RuleStep {
  return ruleOf(CHAINS[name].table, CHAINS[name].chain, what, args, first);
}

function ruleOf(table: Table, called: string, what: string, args: readonly string[], first: boolean): RuleStep {
  return { kind: "rule", what, table, chain: called, rule: args, first };
}

function sysctl({ name, ifindex, was }: Bridge): readonly SysctlStep[] {
  if (ifindex === undefined) return [];
  return [{ kind: "sysctl", what: `net.ipv4.conf.${name}.route_localnet is 1`, bridge: name, ifindex, was }];
}
