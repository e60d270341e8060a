import { AppError } from "../errors.ts";
import type { Machine } from "./machine.ts";
import { TASK_ADDRESS } from "./plan.ts";
import {
  ADDRESS_LABEL,
  type Command,
  commandsToDo,
  commandsToUndo,
  commandToCheck,
  type Step,
  type SysctlStep,
} from "./step.ts";

/** How a step is looked at, made and taken away. */
export interface Operations {
  readonly stands: (step: Step) => Promise<boolean>;
  readonly make: (step: Step) => Promise<void>;
  /** Whether it stands and is ours to take away. */
  readonly isOurs: (step: Step) => Promise<boolean>;
  /** Takes away what stands and is ours. False where it does not stand, or is not ours. */
  readonly takeAway: (step: Step) => Promise<boolean>;
}

/** Whether somebody else had made it before us, so that it stays. */
export function isOthers(step: Step): boolean {
  return (step.kind === "sysctl" && step.was === "1") || (step.kind === "address" && step.was);
}

/** @throws AppError `network-failed` with the command and what it said, in each */
export function createOperations(machine: Machine): Operations {
  async function runAll(commands: readonly Command[], isDone: () => Promise<boolean>): Promise<void> {
    for (const command of commands) {
      const { exitCode, output } = await machine.run(command, isDone);
      if (exitCode !== 0) throw failed(command, exitCode, output);
    }
  }

  async function stands(step: Step): Promise<boolean> {
    if (step.kind === "sysctl") {
      const name = machine.nameOf(step.ifindex);
      return name !== undefined && machine.routeLocalnet(name) === "1";
    }
    if (step.kind === "address") return hasTaskAddress(machine);
    // Asked for a rule that leads to a chain that is not there, iptables answers 2, as for one that it cannot read.
    if (step.kind === "rule" && step.leadsTo && !(await stands({ ...step, kind: "chain", chain: step.leadsTo }))) {
      return false;
    }
    const command = commandToCheck(step);
    const { exitCode, output } = await machine.run(command);
    if (exitCode !== 0 && !isNone(exitCode, output)) throw failed(command, exitCode, output);
    return exitCode === 0;
  }

  /** Between plan and step an engine may take a bridge away and make another one. */
  function checkInterface({ bridge, ifindex }: SysctlStep): void {
    if (machine.ifindex(bridge) === ifindex) return;
    throw new AppError("network-failed", `the interface ${bridge} is not there any more, or is another one by now`, {
      hint: "run this again",
    });
  }

  function setRouteLocalnet(bridge: string, value: string): void {
    try {
      machine.setRouteLocalnet(bridge, value);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new AppError("network-failed", `net.ipv4.conf.${bridge}.route_localnet could not be set: ${why}`, {
        hint: "give the program a writable /proc/sys, as root outside of containers has it",
        cause,
      });
    }
  }

  async function isOurs(step: Step): Promise<boolean> {
    if (isOthers(step)) return false;
    // Somebody may have put it there anew since.
    return step.kind === "address" ? isAddressMarked(machine) : stands(step);
  }

  return {
    stands,
    isOurs,
    async make(step) {
      if (step.kind === "sysctl") {
        checkInterface(step);
        return setRouteLocalnet(step.bridge, "1");
      }
      try {
        await runAll(commandsToDo(step), () => stands(step));
      } catch (error) {
        // A command of a call that was killed may go on for a moment and be first.
        if (!(await stands(step))) throw error;
      }
    },
    async takeAway(step) {
      if (!(await isOurs(step))) return false;
      // By its number: a bridge that was given another name since keeps what we set.
      if (step.kind === "sysctl") setRouteLocalnet(machine.nameOf(step.ifindex) ?? step.bridge, step.was);
      else {
        for (let found = true; found; found = step.kind === "rule" && (await stands(step))) {
          await runAll(commandsToUndo(step), async () => !(await stands(step)));
        }
      }
      return true;
    },
  };
}

/** Whether 169.254.170.2 is an address of `lo`. */
export async function hasTaskAddress(machine: Machine): Promise<boolean> {
  return (await addressesOf(machine, "lo")).includes(`${TASK_ADDRESS}/32`);
}

/** Whether it has the label that we give it. */
export async function isAddressMarked(machine: Machine): Promise<boolean> {
  const lines = (await showAddresses(machine, "lo")).split("\n");
  return lines.some((line) => line.includes(` inet ${TASK_ADDRESS}/32 `) && line.includes(` ${ADDRESS_LABEL}\\`));
}

/**
 * @returns an interface's addresses of both families, each with its prefix
 * @throws AppError `network-failed`
 */
export async function addressesOf(machine: Machine, name: string): Promise<readonly string[]> {
  const output = await showAddresses(machine, name);
  return [...output.matchAll(/ inet6? (\S+)/g)].map(([, address = ""]) => address);
}

async function showAddresses(machine: Machine, name: string): Promise<string> {
  const command: Command = ["ip", "-o", "address", "show", "dev", name];
  const { exitCode, output } = await machine.run(command);
  if (exitCode !== 0) throw failed(command, exitCode, output);
  return output;
}

/**
 * Whether iptables, asked for a chain or a rule, says that there is none, which is 1, or that the kernel has no such table, where
 * none can be. Anything else, such as 4 for a lock that was not got, says nothing of it, and so does 1 without nf_tables.
 */
function isNone(exitCode: number, output: string): boolean {
  if (exitCode === 3) return /table does not exist/i.test(output);
  return exitCode === 1 && !/failed to initialize|permission denied/i.test(output);
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/permission denied|operation not permitted/i, "run it as root with the capability NET_ADMIN"],
  [/xtables lock/i, "wait until the iptables that holds the lock has ended, and run this again"],
  [
    /parsing nftables rule|is incompatible/i,
    "take away what nft put there and iptables cannot read (nft -a list ruleset), and run this again",
  ],
  [/initialize|match|target|module/i, "load the kernel's modules for iptables, or use network up --loopback"],
];

export function failed(command: Command, exitCode: number, output: string): AppError {
  const said = output.replaceAll(/\s*\n\s*/g, " ") || "it said nothing";
  const hint = HINTS.find(([pattern]) => pattern.test(said))?.[1] ?? "mend what it names and run this again";
  return new AppError("network-failed", `${command.join(" ")} failed with ${exitCode}: ${said}`, { hint });
}
