import { type ListedRule, readRules } from "./listed-rules.ts";
import type { Machine } from "./machine.ts";
import { failed } from "./operations.ts";
import { CHAINS } from "./plan.ts";
import type { Command, Table } from "./step.ts";

const TABLES = [...new Set(Object.values(CHAINS).map(({ table }) => table))];

export interface TableRule extends ListedRule {
  readonly table: Table;
}

/**
 * Every rule of the tables that we have a chain in. A table that is not there has none.
 *
 * @throws AppError `network-failed` for one that cannot be read: what is not seen may be ours, or somebody else's in our chains
 */
export async function readTables(machine: Machine): Promise<readonly TableRule[]> {
  const found: TableRule[] = [];
  for (const table of TABLES) {
    const command: Command = ["iptables", "-w", "5", "-t", table, "-S"];
    const { exitCode, output } = await machine.run(command);
    if (exitCode === 3 && /table does not exist/i.test(output)) continue;
    if (exitCode !== 0) throw failed(command, exitCode, output);
    found.push(...readRules(output).map((rule) => ({ ...rule, table })));
  }
  return found;
}
