import { type ListedRule, optionOf } from "./listed-rules.ts";
import type { Machine } from "./machine.ts";
import { isAddressMarked } from "./operations.ts";
import { isOurs } from "./ours.ts";
import { type Bridge, CHAINS, type Plan } from "./plan.ts";
import { type Asked, isInterfaceName } from "./state.ts";
import type { TableRule } from "./tables.ts";

/** What our chains say of an earlier `up`. */
export interface Recovered {
  readonly plans: readonly Plan[];
  /** What was asked, as far as the chains say; undefined where they do not. */
  readonly asked: Asked | undefined;
  /** Bridges that are open, of which no rule says whether they were before us. */
  readonly unsure: readonly string[];
}

/**
 * Reads from the chains what an `up` made of which there is no state. Each names the bridges, so that one that others flushed is
 * no loss, and a bridge that was closed before us has a rule that drops for as long as it is open: see plan.ts.
 *
 * @param known bridges of which a state tells, which are left out: one of that name that was made anew since is not ours
 */
export function recover(
  rules: readonly TableRule[],
  machine: Machine,
  known: ReadonlySet<string> = new Set(),
): Recovered {
  const ours = rules.filter(isOurs);
  const input = ours.filter(({ chain }) => chain === CHAINS.input.chain);
  const led = ours.filter(({ chain }) => chain === CHAINS.prerouting.chain);
  const names = new Set(ours.map(interfaceOf).filter(isInterfaceName));
  const wasClosed = new Set(input.filter((rule) => optionOf(rule, "-j") === "DROP").map(interfaceOf));
  const bridges: Bridge[] = [];
  const unsure: string[] = [];
  for (const name of names) {
    const ifindex = machine.ifindex(name);
    if (ifindex === undefined || known.has(name)) continue;
    const value = machine.routeLocalnet(name) ?? "0";
    bridges.push({ name, ifindex, was: wasClosed.has(name) ? "0" : value });
    if (value === "1" && !wasClosed.has(name)) unsure.push(name);
  }
  const ports = [...new Set([...input, ...led].flatMap(portOf))];
  if (bridges.length === 0) return { plans: [], asked: undefined, unsure };
  const [port] = ports;
  const asked = port === undefined ? undefined : { port, bridges: bridges.map(({ name }) => name), loopback: false };
  // Where no rule has a port yet, none is to be found again by it either.
  return { plans: (port === undefined ? [1] : ports).map((port) => ({ kind: "rules", port, bridges })), asked, unsure };
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
  const [address, led] = optionOf(rule, "--to-destination")?.split(":") ?? [];
  const isToServer = address === "127.0.0.1" || optionOf(rule, "-d") === "127.0.0.1/32";
  const port = led ?? optionOf(rule, "--dport") ?? "";
  return isToServer && /^\d{1,5}$/.test(port) ? [Number(port)] : [];
}

function interfaceOf(rule: ListedRule): string {
  return optionOf(rule, "-i") ?? "";
}
