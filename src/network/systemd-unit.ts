/**
 * A systemd unit that runs `network up` at every start of the machine.
 *
 * @param program the command of this program
 * @param args the options of `network up`
 * @param dockerHost the engine's address, unless it is found automatically
 */
export function systemdUnit(program: readonly string[], args: readonly string[], dockerHost?: string): string {
  const [binary = "", ...words] = program;
  // systemd expands variables in arguments only: a doubled dollar in the program's name would stay.
  const run = [unitWord(binary), ...words.map(unitArgument)].join(" ");
  const up = [run, "network", "up", ...args.map(unitArgument)].join(" ");
  const environment = dockerHost === undefined ? "" : `Environment=${unitWord(`DOCKER_HOST=${dockerHost}`)}\n`;
  return `# /etc/systemd/system/ecs-local-endpoints-network.service
[Unit]
Description=169.254.170.2:80 for containers (ecs-local-endpoints network)
# The engine creates its bridges when it starts.
After=docker.service podman.service

[Service]
Type=oneshot
RemainAfterExit=yes
${environment}ExecStart=${up}
ExecStop=${run} network down

[Install]
WantedBy=multi-user.target
`;
}

function unitArgument(word: string): string {
  return unitWord(word.replaceAll("$", "$$$$"));
}

/** systemd splits at blanks, and % is special. */
function unitWord(word: string): string {
  const escaped = word.replaceAll("%", "%%");
  return /[\s"'\\;]/.test(escaped) ? `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : escaped;
}
