/** One thing that stands or does not, as it is written to the state file. */
export type Step = ChainStep | RuleStep | SysctlStep | AddressStep;

/** The tables of iptables that we have a chain in, see plan.ts. */
export type Table = "raw" | "filter" | "nat";

export interface ChainStep {
  readonly kind: "chain";
  readonly what: string;
  readonly table: Table;
  readonly chain: string;
}

export interface RuleStep {
  readonly kind: "rule";
  readonly what: string;
  readonly table: Table;
  readonly chain: string;
  /** The rule, as iptables takes it behind the chain's name. */
  readonly rule: readonly string[];
  /** Whether it goes before what the chain has already. */
  readonly first: boolean;
  /** Our chain that it leads to. */
  readonly leadsTo?: string;
}

/** `net.ipv4.conf.<bridge>.route_localnet` is 1. */
export interface SysctlStep {
  readonly kind: "sysctl";
  readonly what: string;
  readonly bridge: string;
  /** Tells a bridge from another one of its name, made later: that one's value is not ours. */
  readonly ifindex: number;
  /** What it was before us. */
  readonly was: string;
}

/** 169.254.170.2 is an address of `lo`. */
export interface AddressStep {
  readonly kind: "address";
  readonly what: string;
  /** Whether somebody else had put it there. */
  readonly was: boolean;
}

export type Command = readonly [program: string, ...args: string[]];

/** Text that tells two steps apart; what was there before us does not count. */
export function keyOf(step: Step): string {
  switch (step.kind) {
    case "chain":
      return `chain ${step.table} ${step.chain}`;
    case "rule":
      return `rule ${step.table} ${step.chain} ${step.rule.join(" ")}`;
    case "sysctl":
      return `sysctl ${step.ifindex}`;
    case "address":
      return "address";
  }
}

const ADDRESS = ["169.254.170.2/32", "dev", "lo"];
/** Says of the address that it is ours, as the comment does of a rule. The kernel wants the interface's name before it. */
export const ADDRESS_LABEL = "lo:ecs-local";

/** What is run to make a step stand, in order, each command waiting 5 s for others that change the rules. */
export function commandsToDo(step: Step): readonly Command[] {
  switch (step.kind) {
    case "chain":
      return [iptables(step.table, "-N", step.chain)];
    case "rule":
      return [iptables(step.table, step.first ? "-I" : "-A", step.chain, ...step.rule)];
    case "sysctl":
      return [sysctl(step.bridge, "1")];
    case "address":
      return [["ip", "address", "add", ...ADDRESS, "scope", "host", "label", ADDRESS_LABEL]];
  }
}

/** What is run to take a step away again. */
export function commandsToUndo(step: Step): readonly Command[] {
  switch (step.kind) {
    case "chain":
      return [iptables(step.table, "-F", step.chain), iptables(step.table, "-X", step.chain)];
    case "rule":
      return [iptables(step.table, "-D", step.chain, ...step.rule)];
    case "sysctl":
      return [sysctl(step.bridge, step.was)];
    case "address":
      return [["ip", "address", "del", ...ADDRESS]];
  }
}

/** What answers with exit code 0 where a chain or a rule is, and 1 where it is not. */
export function commandToCheck(step: ChainStep | RuleStep): Command {
  if (step.kind === "chain") return iptables(step.table, "-S", step.chain);
  return iptables(step.table, "-C", step.chain, ...step.rule);
}

function iptables(table: Table, ...args: string[]): Command {
  return ["iptables", "-w", "5", "-t", table, ...args];
}

/** The dots of a VLAN's name are slashes to sysctl. */
function sysctl(bridge: string, value: string): Command {
  return ["sysctl", "-w", `net.ipv4.conf.${bridge.replaceAll(".", "/")}.route_localnet=${value}`];
}
