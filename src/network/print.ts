import { type Command, commandsToDo, commandsToUndo, type Step } from "./step.ts";

/** What `up` runs where nothing stands, as a shell takes it, with each step's purpose. */
export function printUp(steps: readonly Step[]): string {
  return steps.map((step) => `# ${step.what}\n${lines(commandsToDo(step))}`).join("");
}

/** What `down` runs where all stands. */
export function printDown(steps: readonly Step[]): string {
  const ours = steps.filter(
    (step) => !(step.kind === "sysctl" && step.was === "1") && !(step.kind === "address" && step.was),
  );
  return ours
    .toReversed()
    .map((step) => lines(commandsToUndo(step)))
    .join("");
}

function lines(commands: readonly Command[]): string {
  return commands.map((command) => `${command.map(quoted).join(" ")}\n`).join("");
}

function quoted(word: string): string {
  return /^[\w./:=,-]+$/.test(word) || word === "!" ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * A systemd unit that makes the same at each start of the machine: neither rules nor sysctls outlive it.
 *
 * @param program what runs us, the path of the binary
 * @param args of the command line behind `network up`
 * @param dockerHost the engine's address, where it is not found without
 */
export function systemdUnit(program: readonly string[], args: readonly string[], dockerHost?: string): string {
  const run = program.map(unitWord).join(" ");
  const up = [run, "network", "up", ...args.map(unitWord)].join(" ");
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

/** systemd takes blanks as ends of words, and % and $ as its own. */
function unitWord(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /[\s"'\\;]/.test(escaped) ? `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : escaped;
}
