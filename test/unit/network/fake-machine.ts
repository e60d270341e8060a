import type { Journal } from "../../../src/network/converge.ts";
import type { Machine } from "../../../src/network/machine.ts";
import type { Plan } from "../../../src/network/plan.ts";

/** Thrown in place of a SIGKILL: nothing that runs afterwards may catch it and go on. */
class Killed extends Error {}

const HOOKS = ["raw PREROUTING", "filter INPUT", "nat OUTPUT", "nat PREROUTING"];

/**
 * A machine in memory: the words of iptables that the program uses, sysctls of two bridges and the state file.
 *
 * @param bridges `route_localnet` of each, and its number
 */
export function fakeMachine(bridges: Record<string, { value: string; ifindex: number }>) {
  const chains = new Map<string, string[]>(HOOKS.map((hook) => [hook, ["others"]]));
  /** The label of 169.254.170.2 on lo. */
  let label: string | undefined;
  let journal: readonly Plan[] = [];
  let changes = 0;
  let killAt = 0;
  let failAt = 0;
  let isDead = false;
  const log: string[] = [];

  /** Every change of the machine passes here. */
  function change(what: string): "ok" | "fails" {
    if (isDead) throw new Killed();
    changes += 1;
    if (changes === killAt) {
      isDead = true;
      throw new Killed();
    }
    log.push(what);
    return changes === failAt ? "fails" : "ok";
  }

  function iptables(table: string, verb: string, chain: string, rule: readonly string[]): number {
    const key = `${table} ${chain}`;
    const found = chains.get(key);
    const text = rule.join(" ");
    const target = rule.at(-1) ?? "";
    if (verb === "-S") return found ? 0 : 1;
    if (verb === "-C") {
      if (target.startsWith("ECS-") && !chains.has(`${table} ${target}`)) return 2;
      return found?.includes(text) ? 0 : 1;
    }
    if (change(`${table} ${verb} ${chain} ${text}`.trim()) === "fails") return 3;
    if (verb === "-N") {
      if (found) return 1;
      chains.set(key, []);
      return 0;
    }
    if (!found) return 1;
    if (verb === "-A") found.push(text);
    else if (verb === "-I") found.unshift(text);
    else if (verb === "-D") {
      if (!found.includes(text)) return 1;
      found.splice(found.indexOf(text), 1);
    } else if (verb === "-F") found.length = 0;
    else if (verb === "-X") {
      const isUsed = [...chains].some(
        ([at, rules]) => at.startsWith(`${table} `) && rules.some((one) => one.endsWith(chain)),
      );
      if (found.length > 0 || isUsed) return 1;
      chains.delete(key);
    } else return 2;
    return 0;
  }

  function listed(table: string): string {
    const found = [...chains].filter(([key]) => key.startsWith(`${table} `));
    return found.flatMap(([key, rules]) => rules.map((rule) => `-A ${key.slice(table.length + 1)} ${rule}`)).join("\n");
  }

  const machine: Machine = {
    async run([program, ...args]) {
      if (isDead) throw new Killed();
      if (program === "ip") {
        if (args.includes("show")) {
          const line = `1: lo    inet 169.254.170.2/32 scope host ${label}\\       valid_lft forever preferred_lft forever`;
          return { exitCode: 0, output: label === undefined ? "" : line };
        }
        if (change(args.join(" ")) === "fails") return { exitCode: 2, output: "said 2" };
        label = args.includes("add") ? args.at(-1) : undefined;
        return { exitCode: 0, output: "" };
      }
      const [, , , table = "", verb = "", chain, ...rule] = args;
      if (chain === undefined) return { exitCode: 0, output: listed(table) };
      const exitCode = iptables(table, verb, chain, rule);
      if (verb === "-S" && exitCode === 0) {
        const found = chains.get(`${table} ${chain}`) ?? [];
        return { exitCode, output: [`-N ${chain}`, ...found.map((one) => `-A ${chain} ${one}`)].join("\n") };
      }
      return { exitCode, output: exitCode === 0 ? "" : `said ${exitCode}` };
    },
    routeLocalnet: (bridge) => bridges[bridge]?.value,
    setRouteLocalnet(bridge, value) {
      if (change(`${bridge} ${value}`) === "fails") throw new Error("EROFS");
      const found = bridges[bridge];
      if (found) found.value = value;
    },
    ifindex: (bridge) => bridges[bridge]?.ifindex,
    nameOf: (ifindex) => Object.keys(bridges).find((name) => bridges[name]?.ifindex === ifindex),
  };

  return {
    machine,
    /** As a new process reads it. */
    journal: (): Journal => ({
      plans: journal,
      write(plans) {
        change(`write ${plans.length}`);
        journal = plans;
      },
    }),
    /** What stands, to compare. */
    picture: () => ({
      chains: Object.fromEntries([...chains].map(([key, rules]) => [key, [...rules]])),
      bridges: structuredClone(bridges),
      label,
      isWritten: journal.length > 0,
    }),
    log,
    /** The next process is killed at its nth change, 0 for never. */
    kill(nth: number) {
      [changes, killAt, failAt, isDead] = [0, nth, 0, false];
    },
    /** The nth change of the next process fails. */
    fail(nth: number) {
      [changes, killAt, failAt, isDead] = [0, 0, nth, false];
    },
    /** Ends with whether a process was killed, whatever it made of that. */
    async isKilled(running: Promise<unknown>) {
      const error = await running.then(
        () => undefined,
        (cause: unknown) => cause,
      );
      if (error !== undefined && !isDead) throw error;
      return isDead;
    },
    /** How many changes the last process made. */
    changes: () => changes,
    /** What somebody else does. */
    others: {
      chains,
      setAddress: (has: boolean) => (label = has ? "lo" : undefined),
      rename(from: string, to: string) {
        const { [from]: found } = bridges;
        delete bridges[from];
        if (found) bridges[to] = found;
      },
    },
  };
}
