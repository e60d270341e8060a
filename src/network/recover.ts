import type { Machine } from "./machine.ts";
import { failed } from "./operations.ts";
import { type Bridge, CHAINS, type Plan } from "./plan.ts";
import { isInterfaceName } from "./state.ts";
import { commandToCheck } from "./step.ts";

/** What our chains say of an earlier `up`. */
export interface Recovered {
  readonly plans: readonly Plan[];
  /** Bridges that are open, of which no rule says whether they were before us. */
  readonly unsure: readonly string[];
}

/**
 * Reads from the chains what an `up` made of which there is no state. Both chains name each bridge as long as it may be open,
 * and a bridge that was closed before us has a rule that drops: see plan.ts.
 *
 * @throws AppError `network-failed`
 */
export async function recover(machine: Machine): Promise<Recovered> {
  const input = await rulesOf(CHAINS.input, machine);
  const rules = [...(await rulesOf(CHAINS.guard, machine)), ...input];
  const names = new Set(rules.map(interfaceOf).filter(isInterfaceName));
  const wasClosed = new Set(input.filter((rule) => rule.endsWith(" -j DROP")).map(interfaceOf));
  const bridges: Bridge[] = [];
  const unsure: string[] = [];
  for (const name of names) {
    const ifindex = machine.ifindex(name);
    if (ifindex === undefined) continue;
    const value = machine.routeLocalnet(name) ?? "0";
    bridges.push({ name, ifindex, was: wasClosed.has(name) ? "0" : value });
    if (value === "1" && !wasClosed.has(name)) unsure.push(name);
  }
  const ports = new Set(input.flatMap((rule) => / --dport (\d+) /.exec(rule)?.[1] ?? []).map(Number));
  if (bridges.length === 0) return { plans: [], unsure };
  // Where no rule has a port yet, none is to be found again by it either.
  return { plans: [...(ports.size > 0 ? ports : [1])].map((port) => ({ kind: "rules", port, bridges })), unsure };
}

async function rulesOf(
  { table, chain }: (typeof CHAINS)[keyof typeof CHAINS],
  machine: Machine,
): Promise<readonly string[]> {
  const command = commandToCheck({ kind: "chain", what: chain, table, chain });
  const { exitCode, output } = await machine.run(command);
  // 1 is "no such chain", 3 a kernel without the table, which has no chain of ours.
  if (exitCode !== 0 && exitCode !== 1 && exitCode !== 3) throw failed(command, exitCode, output);
  return exitCode === 0 ? output.split("\n").filter((line) => line.startsWith(`-A ${chain} `)) : [];
}

function interfaceOf(rule: string): string {
  return / -i (\S+) /.exec(rule)?.[1] ?? "";
}
