import { TASK_ADDRESS } from "../engine/ip-address.ts";
import { AppError } from "../errors.ts";
import { shellWords, truncate } from "../text.ts";
import { acquireLock } from "./lock.ts";
import { DEFAULT_OPTIONS, type NetworkRequest, optionWords, readOptions } from "./options.ts";
import {
  chooseBridges,
  downSteps,
  goneBridges,
  hasChains,
  listedBridges,
  type Machine,
  type NetworkDeps,
  printStep,
  runStep,
  survey,
  sysctlText,
  upSteps,
} from "./plan.ts";
import { openInterfaces, routeLocalnet } from "./route-localnet.ts";
import { foreignJumps } from "./rules.ts";
import { bootId, statePath, type UpOptions, writeState } from "./state.ts";
import { status } from "./status.ts";
import { systemdUnit } from "./systemd-unit.ts";

/**
 * `network up`, `down` and `status`: whether 169.254.170.2:80 on this machine leads to the server.
 *
 * @returns the exit code: 1 if `status` misses something
 * @throws AppError `bad-configuration`, `network-failed`, the engine's errors
 */
export async function network(request: NetworkRequest, deps: NetworkDeps): Promise<number> {
  const options = readOptions(request);
  const { action, print = false } = request;
  checkSystem(request);
  if (request.printUnit) {
    deps.out(systemdUnit(deps.program, optionWords(options ?? DEFAULT_OPTIONS), deps.docker.host));
    return 0;
  }
  if (action === "status") return status(request.json ?? false, options, deps);
  if (!print) return locked(() => (action === "up" ? up(options ?? DEFAULT_OPTIONS, deps) : down(deps)));
  const isRoot = process.geteuid?.() === 0;
  const machine = await survey(deps.env, isRoot);
  if (!isRoot)
    deps.err("note: only root sees what exists: this is for a machine where nothing does; run it with sudo\n");
  if (action === "up") {
    const { bridges, notes } = await chooseBridges(options ?? DEFAULT_OPTIONS, machine, deps);
    for (const note of notes) deps.err(`note: ${note}\n`);
    printSteps(upSteps(options ?? DEFAULT_OPTIONS, bridges, machine), machine, deps);
  } else {
    refuseForeignJumps(machine);
    refuseUnknown(machine);
    printSteps(downSteps(machine), machine, deps);
    if (machine.state) deps.out(`${shellWords(["rm", "-f", statePath()])}\n`);
  }
  return 0;
}

function printSteps(steps: ReturnType<typeof downSteps>, machine: Machine, deps: NetworkDeps): void {
  if (steps.length === 0) deps.err("note: nothing to change\n");
  deps.out(steps.map((step) => printStep(step, machine)).join(""));
}

async function locked(run: () => Promise<void>): Promise<number> {
  const release = await acquireLock();
  // It takes a second: ended in between, a part would be missing.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  try {
    await run();
    return 0;
  } finally {
    release();
  }
}

function checkSystem({ action, print, printUnit }: NetworkRequest): void {
  if (process.platform !== "linux") {
    throw new AppError("network-failed", `network ${action} needs Linux, and this is ${process.platform}`, {
      hint: "run this program in a container at 169.254.170.2 on a network of the engine instead",
    });
  }
  if (print || printUnit || process.geteuid?.() === 0) return;
  throw new AppError("network-failed", `network ${action} needs root`, {
    hint: `run it with sudo${action === "up" ? ", or see its commands with network up --print" : ""}`,
  });
}

async function up(options: UpOptions, deps: NetworkDeps): Promise<void> {
  const machine = await survey(deps.env);
  const { state, iptables } = machine;
  if (iptables === undefined && !options.loopback) {
    throw new AppError("network-failed", "there is no iptables on this machine's PATH", {
      hint: `install it, or run: network up --loopback, and the server with --bind ${TASK_ADDRESS} --port 80`,
    });
  }
  if (options.loopback) {
    refuseForeignJumps(machine);
    refuseUnknown(machine);
  }
  const { bridges, notes } = await chooseBridges(options, machine, deps);
  for (const note of notes) deps.err(`note: ${note}\n`);
  for (const { name, was } of bridges) {
    if (was === "1" && state === undefined) deps.err(`note: ${sysctlText(name, "1")} was set before; down leaves it\n`);
  }
  const next = { version: 3 as const, boot: bootId(), ...(iptables && { backend: iptables.backend }), options };
  const steps = upSteps(options, bridges, machine);
  // Before anything is changed, so that a later down knows of it whatever happens.
  if (steps.length > 0) writeState({ ...next, bridges: [...bridges, ...goneBridges(bridges, machine)] });
  for (const step of steps) await runStep(step, machine);
  const after = { ...next, bridges: [...bridges] };
  if (steps.length > 0 || !Bun.deepEquals(state, after)) writeState(after);
  const names = bridges.map(({ name }) => name).join(", ");
  const where = options.loopback
    ? `${TASK_ADDRESS} is an address of this machine`
    : `${TASK_ADDRESS}:80 leads to 127.0.0.1:${options.port} for this machine and the containers on ${names}`;
  deps.out(`${steps.length === 0 ? "nothing to change: " : ""}${where}\n`);
  const server = options.loopback ? `--bind ${TASK_ADDRESS} --port 80` : `--port ${options.port}`;
  deps.out(`start the server with: ecs-local-endpoints ${server}\n`);
  if (options.loopback) {
    deps.err(`note: ${TASK_ADDRESS} answers on every link of this machine; the server refuses other callers itself\n`);
  } else if (openInterfaces().includes("all")) {
    deps.err(
      `note: ${sysctlText("all", "1")} opens 127.0.0.0/8 to neighbours (CVE-2020-8558) without these rules; set it to 0\n`,
    );
  }
}

async function down(deps: NetworkDeps): Promise<void> {
  const machine = await survey(deps.env);
  refuseForeignJumps(machine);
  refuseUnknown(machine);
  const steps = downSteps(machine);
  for (const step of steps) await runStep(step, machine);
  if (machine.state) writeState(undefined);
  deps.out(steps.length === 0 ? "nothing of network up exists\n" : "removed everything of network up\n");
}

/** Rules of other programs that lead to our chains would keep them from being removed. */
function refuseForeignJumps({ listed }: Machine): void {
  for (const table of ["raw", "filter", "nat"] as const) {
    const [jump] = foreignJumps(table, listed[table]);
    if (jump === undefined) continue;
    const text = `another program's rule leads to a chain of network up: ${truncate(jump.line, 200)} (${table})`;
    throw new AppError("network-failed", `${text}; nothing was changed`, {
      hint: `remove it and run this again: iptables -t ${table} -D ${shellWords([jump.chain])} ${jump.number}`,
    });
  }
}

/** Without a state file, an open bridge may be open by us, and only our rules guard it (CVE-2020-8558). */
function refuseUnknown(machine: Machine): void {
  if (machine.state !== undefined || !hasChains(machine)) return;
  const open = listedBridges(machine.listed.filter).filter((name) => routeLocalnet(name) === "1");
  if (open.length === 0) return;
  const commands = open.map((name) => shellWords(["sysctl", "-w", sysctlText(name, "0")]));
  const text = `the state file of network up is missing, and route_localnet is 1 on ${open.join(", ")}`;
  throw new AppError("network-failed", `${text}: the rules were kept, because they guard it`, {
    hint: `close it with ${commands.join("; ")}, then run this again`,
  });
}
