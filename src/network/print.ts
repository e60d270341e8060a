import { shellWords } from "../text.ts";
import { isOthers } from "./operations.ts";
import { type Command, commandsToDo, commandsToUndo, type Step } from "./step.ts";

/**
 * What makes steps stand, as a shell takes it, with the purpose of each.
 *
 * @param iptables the program's name, where another kind has its usual one
 */
export function printUp(steps: readonly Step[], iptables = "iptables"): string {
  return steps.map((step) => `# ${step.what}\n${lines(commandsToDo(step), iptables)}`).join("");
}

/** What takes steps away, in their order. What was there before us stays. */
export function printDown(steps: readonly Step[], iptables = "iptables"): string {
  const ours = steps.filter((step) => !isOthers(step));
  return ours.map((step) => lines(commandsToUndo(step), iptables)).join("");
}

function lines(commands: readonly Command[], iptables: string): string {
  return commands
    .map(([program, ...args]) => `${shellWords([program === "iptables" ? iptables : program, ...args])}\n`)
    .join("");
}

/**
 * A systemd unit that makes the same at each start of the machine: neither rules nor sysctls outlive it.
 *
 * @param program what runs us, the path of the binary
 * @param args of the command line behind `network up`
 * @param dockerHost the engine's address, where it is not found without
 */
export function systemdUnit(program: readonly string[], args: readonly string[], dockerHost?: string): string {
  const [binary = "", ...words] = program;
  // systemd puts variables into arguments alone: a dollar doubled would stay so in the name of the program.
  const run = [unitWord(binary), ...words.map(unitArgument)].join(" ");
  const up = [run, "network", "up", ...args.map(unitArgument)].join(" ");
  return `# /etc/systemd/system/ecs-local-endpoints-network.service
[Unit]
Description=169.254.170.2:80 for containers (ecs-local-endpoints network)
# The engine makes its bridges as it starts.
After=docker.service podman.service

[Service]
Type=oneshot
RemainAfterExit=yes
${dockerHost === undefined ? "" : `Environment=${unitWord(`DOCKER_HOST=${dockerHost}`)}\n`}ExecStart=${up}
ExecStop=${run} network down

[Install]
WantedBy=multi-user.target
`;
}

function unitArgument(word: string): string {
  return unitWord(word.replaceAll("$", "$$$$"));
}

/** systemd takes blanks as ends of words, and % as its own. */
function unitWord(word: string): string {
  const escaped = word.replaceAll("%", "%%");
  return /[\s"'\\;]/.test(escaped) ? `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : escaped;
}
