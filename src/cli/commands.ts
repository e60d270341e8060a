import { type Command, Option } from "commander";
import type { ComposeOptions } from "../commands/compose/options.ts";
import type { DoctorRequest } from "../commands/doctor.ts";
import type { EnvOptions } from "../commands/env.ts";
import type { Environment } from "../config/config.ts";
import type { NetworkRequest } from "../network/options.ts";
import type { CommandOutput } from "../text.ts";
import { refuse, refuseUnknown } from "./usage-error.ts";

type Run = (what: (env: Environment) => Promise<CommandOutput>) => void;

export function addEnv(parent: Command, run: Run): void {
  parent
    .command("env")
    .description("print the variables to set for a container")
    .option("--role <role>", "credentials of this role (name, path/name or ARN) instead of your own identity")
    .option("--container <name>", "metadata of this container instead of the one that asks")
    .option("--address <host[:port]>", "where the server answers, 169.254.170.2 unless given")
    .option("--format <format>", "shell, dotenv or yaml", "shell")
    .allowExcessArguments(false)
    .action((options: EnvOptions) => run(async (env) => (await import("../commands/env.ts")).env(options, env)));
}

/** Options of docker compose that change a project, and what we have for each. */
const OTHERS = [
  ["-p, --project-name <name>", "set COMPOSE_PROJECT_NAME"],
  ["--env-file <file>", "set COMPOSE_ENV_FILES to it"],
  ["--profile <name>", "leave it out: every profile's services are written"],
] as const;

export function addCompose(parent: Command, run: Run): void {
  const collect = (value: string, before: readonly string[] = []) => [...before, value];
  const command = parent
    .command("compose")
    .description("write an override file that gives each service of a Compose project its endpoints")
    .argument("[FILE...]", "the project's files, those that docker compose would take unless given")
    .option("-f, --file <file>", "one of the project's files, as for docker compose; repeat it for others", collect)
    .option("--project-directory <folder>", "where the project's paths start from")
    .option("--role <service=role>", "credentials of a role for a service; repeat it for others", collect)
    .option("--output <file>", "what to write, compose.ecs-local.yaml beside the first file unless given; - for stdout")
    .option("--force", "write over a file that compose wrote before")
    .option("--image <image>", "the server's image, ecs-local-endpoints:dev unless given")
    .option("--socket <path>", "the engine's socket, found unless given")
    .option("--offline", "a server with well-formed dummy credentials, never a call to AWS")
    .option("--server", "write a project of its own for the server, which several projects share")
    .option("--join", "write no server: join the one of --server")
    .action((files: string[], options: ComposeOptions) =>
      run(async (env) => {
        const { compose } = await import("../commands/compose.ts");
        return compose(files, options, env, { cwd: process.cwd(), platform: process.platform });
      }),
    );
  for (const [flags, hint] of OTHERS) {
    const option = new Option(flags).hideHelp();
    command.addOption(option).on(`option:${option.name()}`, () => {
      refuse(command, `${option.long} is an option of docker compose alone`, hint);
    });
  }
}

const DOCTOR_HELP = `
Changes nothing. --start-containers lets it start a container for some seconds on each network, which asks as yours
would; its image has to be there. Every finding and its remedy: docs/doctor.md

Exit codes: 0 no problem, 1 a problem, 2 wrong usage or configuration,
130 ended by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP`;

/** Adds `doctor`, and gives what the command line asks of it to `choose`. */
export function addDoctor(program: Command, choose: (request: DoctorRequest) => void): void {
  program
    .command("doctor")
    .description("find what keeps containers from credentials and metadata, and say what to do")
    .option("--json", "as JSON")
    .option("--offline", "as for the server")
    .option("--port <port>", "the server's port")
    .option("--bind <address>", "the server's address")
    .option("--start-containers", "ask from inside of each network as well")
    .option("--image <name>", "with --start-containers: the image that asks (ecs-local-endpoints:dev unless given)")
    .addOption(new Option("--from-inside").hideHelp())
    .allowExcessArguments(false)
    .addHelpText("after", DOCTOR_HELP)
    .action((options: DoctorRequest) => choose(options));
}

/** Adds `help`, which prints what `--help` does: of the program, or of the command that is named behind it. */
export function addHelp(parent: Command): void {
  parent
    .command("help")
    .description("print this, or what there is of a command")
    .argument("[command...]", "as in: help network up")
    .action((words: string[]) => {
      const found = words.reduce((at: Command, word) => {
        return at.commands.find((each) => each.name() === word) ?? refuseUnknown(at, word);
      }, parent);
      found.help();
    });
}

/** Adds `version`, for those who type it as a command. */
export function addVersion(program: Command, version: string, run: Run): void {
  program
    .command("version")
    .description("print what --version does")
    .allowExcessArguments(false)
    .action(() => run(async () => ({ stdout: [`${version}\n`], stderr: [] })));
}

const NETWORK_HELP = `
up asks the engine for its bridges unless --bridge names them; it may be run again at any time, and makes what
stands equal to what it was asked. What it does, and why: docs/network.md

Exit codes: 0 done, or all stands; 1 failed, or something is missing; 2 wrong usage`;

export function addNetwork(program: Command, choose: (request: NetworkRequest) => void): void {
  const network = program
    .command("network")
    .description("lead 169.254.170.2:80 to the server on this machine (Linux, root)")
    .addHelpText("after", NETWORK_HELP);
  const add = (action: NetworkRequest["action"], description: string) =>
    network
      .command(action)
      .description(description)
      .allowExcessArguments(false)
      .action((options: Omit<NetworkRequest, "action">) => choose({ action, ...options }));
  const several = (name: string, before: string[] = []) => [...before, name];
  add("up", "make the rules, in one step or not at all")
    .option("--bridge <name>", "a bridge instead of the engine's; may be given several times", several)
    .option("--port <port>", "the server's port on 127.0.0.1 (51679 unless given)")
    .option("--loopback", "without iptables: give lo the address, for a server with --bind 169.254.170.2 --port 80")
    .option("--print", "print the commands and run none")
    .option("--print-unit", "print a systemd unit that runs this at each start of the machine");
  add("down", "take away what up made, and nothing else").option("--print", "print the commands and run none");
  add("status", "say what stands and what is missing")
    .option("--bridge <name>", "as for up; what up was told unless given", several)
    .option("--port <port>", "as for up")
    .option("--loopback", "as for up")
    .option("--json", "as JSON");
  addHelp(network);
}
