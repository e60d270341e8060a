import { Command, CommanderError, Option } from "commander";
import { DOCTOR_HELP, HELP, NETWORK_HELP } from "./cli/help.ts";
import { refuse, refuseUnknown, useOwnFormat } from "./cli/usage-error.ts";
import type { ComposeOptions } from "./commands/compose/options.ts";
import type { DoctorRequest } from "./commands/doctor.ts";
import type { EnvOptions } from "./commands/env.ts";
import type { Environment, Flags } from "./config/config.ts";
import type { NetworkRequest } from "./network/options.ts";
import type { CommandOutput } from "./text.ts";

/** A parsed command line. `exit` means that everything is written already. */
export type Invocation =
  | { readonly kind: "serve" | "healthcheck"; readonly flags: Flags }
  | { readonly kind: "network"; readonly request: NetworkRequest }
  | { readonly kind: "run"; readonly run: (env: Environment) => Promise<CommandOutput> }
  | { readonly kind: "doctor"; readonly request: DoctorRequest }
  | { readonly kind: "exit"; readonly code: number };

type Choose = (chosen: Invocation) => void;

/**
 * Parses the command line. Help and version go to stdout, errors with a hint to stderr, with exit code 2.
 *
 * @param version printed by `--version`
 */
export function parseArguments(argv: readonly string[], version: string): Invocation {
  let invocation: Invocation | undefined;
  const choose: Choose = (chosen) => {
    invocation = chosen;
  };
  const program = addServerOptions(new Command("ecs-local-endpoints"))
    .description("The endpoints that Amazon ECS gives a container, for containers on a developer's machine")
    .version(version, "-V, --version", "print the version, commit and build target")
    .helpOption("-h, --help", "print help")
    .addHelpText("after", HELP)
    .allowExcessArguments(true)
    .exitOverride()
    // An option after a command belongs to the command, even if the server has one of that name.
    .enablePositionalOptions()
    .action(() => {
      if (program.args[0] !== undefined) refuseUnknown(program, program.args[0]);
      choose({ kind: "serve", flags: program.opts<Flags>() });
    });
  program.hook("preAction", (_, chosen) => {
    refuseMisplaced(program, chosen);
    for (const each of new Set([program, chosen])) refuseOptionsAsValues(each);
  });
  addServerOptions(program.command("serve"))
    .description("run the server (default)")
    .allowExcessArguments(false)
    .action((flags: Flags) => choose({ kind: "serve", flags: { ...program.opts<Flags>(), ...flags } }));
  addNetwork(program, choose);
  program
    .command("healthcheck")
    .description("ask the running server for its health: exit code 0 if healthy, else 1")
    .option("--port <port>", "the server's port, if not the environment's")
    .option("--bind <address>", "the server's address, if not the environment's")
    .allowExcessArguments(false)
    .action((flags: Flags) => choose({ kind: "healthcheck", flags: { ...program.opts<Flags>(), ...flags } }));
  addEnv(program, choose);
  addCompose(program, choose);
  addDoctor(program, choose);
  addHelp(program);
  program
    .command("version")
    .description("print the version")
    .allowExcessArguments(false)
    .action(() => choose({ kind: "run", run: async () => ({ stdout: [`${version}\n`], stderr: [] }) }));
  useOwnFormat(program);
  try {
    program.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { kind: "exit", code: error.exitCode === 0 ? 0 : 2 };
  }
  if (invocation === undefined) throw new Error("commander ran no command");
  return invocation;
}

function addServerOptions(command: Command): Command {
  return command
    .option("--offline", "well-formed dummy credentials, never a call to AWS")
    .option("--port <port>", "port to listen on")
    .option("--bind <address>", "address to listen on");
}

function addNetwork(program: Command, choose: Choose): void {
  const network = program
    .command("network")
    .description("route 169.254.170.2:80 to the server on this machine (Linux, root)")
    .addHelpText("after", NETWORK_HELP);
  const add = (action: NetworkRequest["action"], description: string) =>
    network
      .command(action)
      .description(description)
      .allowExcessArguments(false)
      .action((options: Omit<NetworkRequest, "action">) =>
        choose({ kind: "network", request: { action, ...options } }),
      );
  add("up", "add the rules")
    .option("--bridge <name>", "a bridge instead of the engine's; can be repeated", collect)
    .option("--port <port>", "the server's port on 127.0.0.1 (default: 51679)")
    .option("--loopback", "without iptables: give lo the address, for a server with --bind 169.254.170.2 --port 80")
    .option("--print", "print the commands and run none")
    .option("--print-unit", "print a systemd unit that runs this at boot");
  add("down", "remove what up added").option("--print", "print the commands and run none");
  add("status", "show what exists and what is missing")
    .option("--bridge <name>", "as for up (default: as up was run)", collect)
    .option("--port <port>", "as for up")
    .option("--loopback", "as for up")
    .option("--json", "print JSON");
  addHelp(network);
}

function addEnv(program: Command, choose: Choose): void {
  program
    .command("env")
    .description("print the variables for a container")
    .option("--role <role>", "credentials of this role (name, path/name or ARN) instead of your own identity")
    .option("--container <name>", "metadata of this container instead of the caller")
    .option("--address <host[:port]>", "address of the server (default: 169.254.170.2)")
    .option("--format <format>", "shell, dotenv or yaml", "shell")
    .allowExcessArguments(false)
    .action((options: EnvOptions) => {
      const run = async (env: Environment) => (await import("./commands/env.ts")).env(options, env);
      choose({ kind: "run", run });
    });
}

function addCompose(program: Command, choose: Choose): void {
  program
    .command("compose")
    .description("write an override file that gives each service of a Compose project its endpoints")
    .argument("[FILE...]", "the project's files (default: as for docker compose)")
    .option("-f, --file <file>", "a file of the project, as for docker compose; can be repeated", collect)
    .option("--project-directory <folder>", "the folder that the project's paths start from")
    .option("--role <service=role>", "credentials of a role for a service; can be repeated", collect)
    .option(
      "--output <file>",
      "the file to write (default: compose.ecs-local.yaml next to the first file; - for stdout)",
    )
    .option("--force", "replace a file that compose wrote before")
    .option("--image <image>", "the server's image (default: ecs-local-endpoints:dev)")
    .option("--socket <path>", "the engine's socket (default: found automatically)")
    .option("--offline", "a server with well-formed dummy credentials, never a call to AWS")
    .option("--server", "write a project of its own for the server, which several projects share")
    .option("--join", "write no server: use the one of --server")
    .action((files: string[], options: ComposeOptions) => {
      const run = async (env: Environment) => {
        const { compose } = await import("./commands/compose.ts");
        return compose(files, options, env, { cwd: process.cwd(), platform: process.platform });
      };
      choose({ kind: "run", run });
    });
}

function addDoctor(program: Command, choose: Choose): void {
  program
    .command("doctor")
    .description("find what keeps containers from credentials and metadata, with a remedy for each")
    .option("--json", "print JSON")
    .option("--offline", "as for the server")
    .option("--port <port>", "the server's port")
    .option("--bind <address>", "the server's address")
    .option("--start-containers", "also ask from inside each network")
    .option("--image <name>", "the image for --start-containers (default: ecs-local-endpoints:dev)")
    .addOption(new Option("--from-inside").hideHelp())
    .allowExcessArguments(false)
    .addHelpText("after", DOCTOR_HELP)
    .action((request: DoctorRequest) => choose({ kind: "doctor", request: { ...program.opts<Flags>(), ...request } }));
}

/** `help [command...]` prints the same as `[command...] --help`. */
function addHelp(parent: Command): void {
  parent
    .command("help")
    .description("print help for a command")
    .argument("[command...]", "for example: help network up")
    .action((words: string[]) => {
      const find = (at: Command, word: string): Command =>
        at.commands.find((each) => each.name() === word) ?? refuseUnknown(at, word);
      words.reduce(find, parent).help();
    });
}

/** The server's options before a command that does not use them would be ignored. */
function refuseMisplaced(program: Command, chosen: Command): void {
  const name =
    chosen.parent === program || chosen === program ? chosen.name() : `${chosen.parent?.name()} ${chosen.name()}`;
  if (chosen === program || ["serve", "healthcheck", "doctor"].includes(name)) return;
  const [option] = Object.keys(program.opts());
  if (option === undefined) return;
  refuse(program, `--${option} before '${name}' is an option of the server`, `put it after '${name}', or leave it out`);
}

/** An option whose value is missing would take the next option as its value. */
function refuseOptionsAsValues(command: Command): void {
  for (const option of command.options) {
    const values = [command.getOptionValue(option.attributeName())].flat();
    const value = values.find((each) => String(each).startsWith("--"));
    if (value === undefined) continue;
    refuse(command, `${option.long} is '${value}', which looks like an option`, `give it a value: ${option.flags}`);
  }
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
