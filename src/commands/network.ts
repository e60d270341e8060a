import { AppError } from "../errors.ts";
import { bringUp, takeDown } from "../network/converge.ts";
import { takeTurn } from "../network/lock.ts";
import { createOperations } from "../network/operations.ts";
import { planFrame, stepsOf, TASK_ADDRESS } from "../network/plan.ts";
import { printDown, printUp, systemdUnit } from "../network/print.ts";
import type { Asked } from "../network/state.ts";
import { commandsToUndo } from "../network/step.ts";
import { openInterfaces } from "./network-bridges.ts";
import { ASKED_BY_DEFAULT, type NetworkRequest, optionsOf, readAsked } from "./network-request.ts";
import { journalOf, type NetworkDeps, noteUnsure, plan, survey, surveyRules } from "./network-setting.ts";
import { status } from "./network-status.ts";

/**
 * `network up`, `down` and `status`: whether, on this machine, 169.254.170.2:80 leads to our server.
 *
 * @returns the exit code: 0, or 1 where `status` misses something
 * @throws AppError `bad-configuration`, `network-failed`, the engine's
 */
export async function network(request: NetworkRequest, deps: NetworkDeps): Promise<number> {
  const asked = readAsked(request);
  checkSystem(request);
  if (request.printUnit) {
    deps.out(systemdUnit(deps.program, optionsOf(asked ?? ASKED_BY_DEFAULT), deps.docker.host));
    return 0;
  }
  if (request.print) return print(request.action, asked, deps);
  if (request.action === "status") return status(request.json ?? false, asked, deps);
  // The process may not end between two steps by Ctrl-C; that ends what it is running, which undoes the rest.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  const done = await takeTurn();
  try {
    return await (request.action === "up" ? up(asked ?? ASKED_BY_DEFAULT, deps) : down(deps));
  } finally {
    done();
  }
}

function checkSystem({ action, print, printUnit }: NetworkRequest): void {
  if (process.platform !== "linux") {
    throw new AppError("network-failed", `network ${action} makes rules of Linux, and this is ${process.platform}`, {
      hint: "run this program in a container at 169.254.170.2 on a network of the engine's instead",
    });
  }
  if (print || printUnit || process.geteuid?.() === 0) return;
  throw new AppError("network-failed", `network ${action} asks and changes the kernel's rules, which takes root`, {
    hint: `run it with sudo${action === "up" ? ", or see what it would run with network up --print" : ""}`,
  });
}

async function up(asked: Asked, deps: NetworkDeps): Promise<number> {
  const setting = await surveyRules(deps.env);
  const { backend, machine } = setting;
  if (backend === undefined && !asked.loopback) {
    throw new AppError("network-failed", "there is no iptables on this machine's PATH", {
      hint: `install it, or run: network up --loopback, and the server with --bind ${TASK_ADDRESS} --port 80`,
    });
  }
  const { plan: wanted, bridges, notes } = await plan(asked, setting, deps);
  for (const note of [...notes, ...noteUnsure(setting)]) deps.err(`note: ${note}\n`);
  const journal = journalOf(setting, asked);
  const changes = await bringUp(wanted, journal, createOperations(machine));
  // Other words for the same steps: `status` and the next call go by them.
  if (!Bun.deepEquals(setting.state?.asked, asked)) journal.write([wanted]);
  const where = asked.loopback
    ? `${TASK_ADDRESS} is an address of this machine`
    : `${TASK_ADDRESS}:80 leads to 127.0.0.1:${asked.port} for this machine and the containers on ${bridges.join(", ")}`;
  const server = asked.loopback ? `--bind ${TASK_ADDRESS} --port 80` : `--port ${asked.port}`;
  deps.out(`${changes === 0 ? "nothing to change: " : ""}${where}\n`);
  deps.out(`the server for it is started with: ecs-local-endpoints ${server}\n`);
  if (asked.loopback) {
    deps.err(
      `note: without rules ${TASK_ADDRESS} answers on every link of this machine; the server itself refuses strangers\n`,
    );
  } else noteOpenToAll(deps);
  return 0;
}

async function down(deps: NetworkDeps): Promise<number> {
  const setting = await surveyRules(deps.env);
  const { state, backend, unsure, machine } = setting;
  if (unsure.length > 0) throw notProven(unsure);
  const frame = backend === undefined ? [] : planFrame();
  const taken = await takeDown(journalOf(setting, state?.asked ?? ASKED_BY_DEFAULT), frame, createOperations(machine));
  deps.out(taken === 0 ? "nothing of network up stands\n" : `what network up made is taken away: ${taken} things\n`);
  return 0;
}

/** What keeps strangers out must not go while a bridge is open that may be so by us. */
function notProven(bridges: readonly string[]): AppError {
  const close = bridges.flatMap((bridge) =>
    commandsToUndo({ kind: "sysctl", what: "", bridge, ifindex: 1, was: "0" }).map((command) => command.join(" ")),
  );
  const keep = bridges.map((name) => `--bridge ${name}`).join(" ");
  return new AppError(
    "network-failed",
    `route_localnet is 1 on ${bridges.join(", ")}, and no state file says whether it was before network up: all was left, because the rules guard it`,
    {
      hint: `close it with ${close.join("; ")}, or have it stay open with network up ${keep}; then run network down again`,
    },
  );
}

/** The reference's rules for Linux open every interface, which ours close again while they stand. */
function noteOpenToAll(deps: NetworkDeps): void {
  if (!openInterfaces().includes("all")) return;
  deps.err(
    "note: net.ipv4.conf.all.route_localnet is 1, which is not ours: it lets neighbours send to 127.0.0.0/8 (CVE-2020-8558), and only our rule drops that; set it to 0\n",
  );
}

async function print(action: "up" | "down" | "status", asked: Asked | undefined, deps: NetworkDeps): Promise<number> {
  const setting = await survey(deps.env);
  if (action === "down") {
    // By the state alone: whoever is not root may ask, and the engine has no say in what is taken away.
    if (setting.made.length === 0) deps.err("note: nothing of network up stands\n");
    deps.out(printDown(stepsOf(setting.made)));
    return 0;
  }
  const { plan: wanted, notes } = await plan(asked ?? setting.state?.asked ?? ASKED_BY_DEFAULT, setting, deps);
  for (const note of notes) deps.err(`note: ${note}\n`);
  deps.out(printUp(stepsOf([wanted])));
  return 0;
}
