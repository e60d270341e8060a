import { AppError } from "../errors.ts";
import { openInterfaces } from "./bridges.ts";
import { bringUp } from "./converge.ts";
import { down, refuseUnsure } from "./down.ts";
import { takeTurn } from "./lock.ts";
import { createOperations } from "./operations.ts";
import { ASKED_BY_DEFAULT, type NetworkRequest, optionsOf, readAsked } from "./options.ts";
import { TASK_ADDRESS } from "./plan.ts";
import { systemdUnit } from "./print.ts";
import { printOfDown, printOfUp } from "./print-rules.ts";
import { journalOf, type NetworkDeps, noteUnsure, plan, surveyRules } from "./setting.ts";
import type { Asked } from "./state.ts";
import { status } from "./status.ts";
import { refuseStrangers } from "./strangers.ts";

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
  if (request.print) {
    await (request.action === "up" ? printOfUp(asked ?? ASKED_BY_DEFAULT, deps) : printOfDown(deps));
    return 0;
  }
  if (request.action === "status") return status(request.json ?? false, asked, deps);
  const done = await takeTurn();
  // The process may not end between two steps by Ctrl-C: it is a second until all of them are made.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  try {
    await (request.action === "up" ? up(asked ?? ASKED_BY_DEFAULT, deps) : down(deps));
    return 0;
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

async function up(asked: Asked, deps: NetworkDeps): Promise<void> {
  const setting = await surveyRules(deps.env);
  const { backend, iptables, machine, rules } = setting;
  if (backend === undefined && !asked.loopback) {
    throw new AppError("network-failed", "there is no iptables on this machine's PATH", {
      hint: `install it, or run: network up --loopback, and the server with --bind ${TASK_ADDRESS} --port 80`,
    });
  }
  refuseStrangers(rules, iptables);
  const { plan: wanted, bridges, notes } = await plan(asked, setting, deps);
  // Who names an open bridge has it stay so.
  refuseUnsure(setting.unsure.filter((name) => !bridges.includes(name)));
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
}

/** The reference's rules for Linux open every interface, which ours close again while they stand. */
function noteOpenToAll(deps: NetworkDeps): void {
  if (!openInterfaces().includes("all")) return;
  deps.err(
    "note: net.ipv4.conf.all.route_localnet is 1, which is not ours: it lets neighbours send to 127.0.0.0/8 (CVE-2020-8558), and only our rule drops that; set it to 0\n",
  );
}
