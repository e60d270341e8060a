import { type ListedRule, optionOf } from "./listed-rules.ts";
import type { Machine } from "./machine.ts";
import { isAddressMarked } from "./operations.ts";
import { isOurs } from "./ours.ts";
import { type Bridge, CHAINS, type Plan } from "./plan.ts";
import { type Asked, isInterfaceName } from "./state.ts";
import type { TableRule } from "./tables.ts";

/** What our chains say of an earlier `up`. */
interface Recovered {
  readonly plans: readonly Plan[];
  /** What was asked, as far as the chains say; undefined where they do not. */
  readonly asked: Asked | undefined;
  /** Bridges that are open, of which no rule says whether they were before us. */
  readonly unsure: readonly string[];
}

/**
 * Reads from the chains what stands there of an `up`, of which there may be no state. Each names the bridges, so that one that others
 * flushed is no loss, and a bridge that was closed before us has a rule that drops for as long as it is open: see plan.ts. A bridge
 * that went away has rules still.
 *
 * @param known bridges of which a state tells: one of that name that was made anew since is not ours
 */
export function recover(rules: readonly TableRule[], machine: Machine, known: readonly Bridge[] = []): Recovered {
  const ours = rules.filter(isOurs);
  const dropping = ours.filter((rule) => rule.chain === CHAINS.input.chain && optionOf(rule, "-j") === "DROP");
  const wasClosed = new Set(dropping.map(interfaceOf));
  const unsure: string[] = [];
  const names = [...new Set(ours.map(interfaceOf).filter(isInterfaceName))];
  const bridges = names.map((name): Bridge => {
    const told = known.find((bridge) => bridge.name === name);
    if (told) return told;
    const [ifindex, value = "0"] = [machine.ifindex(name), machine.routeLocalnet(name)];
    if (value === "1" && !wasClosed.has(name)) unsure.push(name);
    return { name, ...(ifindex !== undefined && { ifindex }), was: wasClosed.has(name) ? "0" : value };
  });
  const ports = [...new Set(ours.flatMap(portOf))];
  const [port] = ports;
  const asked = port === undefined || names.length === 0 ? undefined : { port, bridges: names, loopback: false };
  // Where no rule has a port yet, none is to be found again by it either.
  const planned = port === undefined && names.length > 0 ? [1] : ports;
  return { plans: planned.map((port) => ({ kind: "rules", port, bridges })), asked, unsure };
}

/**
 * The same of the address on `lo`.
 *
 * @throws AppError `network-failed`
 */
export async function recoverAddress(machine: Machine): Promise<readonly Plan[]> {
  return (await isAddressMarked(machine)) ? [{ kind: "address", was: false }] : [];
}

/** Of a rule that lets in to the server, or leads there. */
function portOf(rule: ListedRule): readonly number[] {
  const letIn = optionOf(rule, "-d") === "127.0.0.1/32" ? optionOf(rule, "--dport") : undefined;
  const led = optionOf(rule, "--to-ports") ?? optionOf(rule, "--to-destination")?.replace(/^127\.0\.0\.1:/, "");
  const port = letIn ?? led ?? "";
  return /^\d{1,5}$/.test(port) ? [Number(port)] : [];
}

function interfaceOf(rule: ListedRule): string {
  return optionOf(rule, "-i") ?? "";
}
