import { TASK_ADDRESS } from "../engine/ip-address.ts";
import { AppError } from "../errors.ts";
import { failed, run } from "./iptables.ts";

/** Marks the address as ours. The kernel requires the interface's name before the colon. */
const LABEL = "lo:ecs-local";
const ADDRESS = [`${TASK_ADDRESS}/32`, "dev", "lo"];

/** The commands of `network up --loopback` and `network down`. */
export const ADD_ADDRESS = ["ip", "address", "add", ...ADDRESS, "scope", "host", "label", LABEL];
export const DELETE_ADDRESS = ["ip", "address", "del", ...ADDRESS];

/**
 * Whether `lo` has 169.254.170.2, and whether `network up` added it.
 *
 * @throws AppError `network-failed`
 */
export async function readTaskAddress(path: string): Promise<"ours" | "foreign" | "none"> {
  if (Bun.which("ip", { PATH: path }) === null) return "none";
  const line = (await showAddresses("lo", path)).find((each) => each.includes(` inet ${TASK_ADDRESS}/32 `));
  if (line === undefined) return "none";
  return line.includes(` ${LABEL}\\`) ? "ours" : "foreign";
}

/** @returns an interface's addresses of both families, each with its prefix */
export async function addressesOf(name: string, path: string): Promise<readonly string[]> {
  return (await showAddresses(name, path)).flatMap((line) => / inet6? (\S+)/.exec(line)?.[1] ?? []);
}

async function showAddresses(name: string, path: string): Promise<readonly string[]> {
  return (await runIp(["ip", "-o", "address", "show", "dev", name], path)).split("\n");
}

/** @throws AppError `network-failed` */
export async function runIp(command: readonly string[], path: string): Promise<string> {
  if (Bun.which("ip", { PATH: path }) === null) {
    throw new AppError("network-failed", `there is no ip on the PATH ${path}`, {
      hint: "install it (apt-get install iproute2) and run this again",
    });
  }
  const { exitCode, stdout, output } = await run(command, path);
  if (exitCode !== 0) throw failed(command.join(" "), exitCode, output);
  return stdout;
}
