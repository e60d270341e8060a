import { Command, CommanderError } from "commander";
import { addCompose, addDoctor, addEnv, addHelp, addNetwork, addVersion } from "./cli/commands.ts";
import { refuse, refuseUnknown, sayAsOurs, shown, WORD_CHARACTERS_MAX } from "./cli/usage-error.ts";
import type { DoctorRequest } from "./commands/doctor.ts";
import type { Environment, Flags } from "./config/config.ts";
import type { NetworkRequest } from "./network/options.ts";
import type { CommandOutput } from "./text.ts";

const HELP = `
Answers on http://<address>:<port>:
  /creds                        credentials of your own identity
  /role/<name>, /role-arn/<arn> credentials of a role
  /v2/metadata, /v2/stats       task metadata and statistics, version 2
  /v4, /v4/task, /v4/stats      the same, versions 3 and 4; /v4/containers/<name> for any container
  /api/task-protection/v1/state task scale-in protection
  /health

Environment (docs/configuration.md lists all variables):
  ECS_LOCAL_METADATA_PORT       port, 80 unless set
  ECS_LOCAL_BIND_ADDRESS        address to listen on, 127.0.0.1 unless set
  AWS_PROFILE, AWS_REGION, ...  the identity, as for the AWS CLI
  DOCKER_HOST                   the engine, found by itself unless set

Exit codes: 0 ended as asked, 1 failed at run time, 2 wrong usage or configuration`;

/** What the command line asks for. `exit` ends the program at once, its text already written. */
export type Invocation =
  | { readonly kind: "serve" | "healthcheck"; readonly flags: Flags }
  | { readonly kind: "network"; readonly request: NetworkRequest }
  | { readonly kind: "run"; readonly run: (env: Environment) => Promise<CommandOutput> }
  | { readonly kind: "doctor"; readonly request: DoctorRequest }
  | { readonly kind: "exit"; readonly code: number };

/**
 * Reads the command line. Help and version go to stdout, an error and what to do about it to stderr, with code 2.
 *
 * @param version what `--version` prints
 */
export function parseArguments(argv: readonly string[], version: string): Invocation {
  let invocation: Invocation | undefined;
  const choose = (chosen: Invocation) => {
    invocation = chosen;
  };
  const command = addServerOptions(new Command("ecs-local-endpoints"))
    .description("The endpoints that Amazon ECS gives a container, for containers on a developer's machine")
    .version(version, "-V, --version", "print the version, commit and build target")
    .helpOption("-h, --help", "print this")
    .addHelpText("after", HELP)
    .allowExcessArguments(true)
    .exitOverride()
    // An option behind a command is the command's, though the server has one of that name.
    .enablePositionalOptions()
    .action(() => {
      const [unknown] = command.args;
      if (unknown !== undefined) refuseUnknown(command, unknown);
      choose({ kind: "serve", flags: command.opts<Flags>() });
    });
  command.hook("preAction", (_, chosen) => {
    refuseMisplaced(command, chosen);
    for (const each of new Set([command, chosen])) {
      refuseTooLong(each);
      refuseOptionsAsValues(each);
    }
  });
  addServerOptions(command.command("serve"))
    .description("answer, which is what is done without a command")
    .allowExcessArguments(false)
    .action((flags: Flags) => choose({ kind: "serve", flags: { ...command.opts<Flags>(), ...flags } }));
  addNetwork(command, (request) => choose({ kind: "network", request }));
  command
    .command("healthcheck")
    .description("ask the running server whether it is well: exit code 0, else 1")
    .option("--port <port>", "the server's port, where it is not the environment's")
    .option("--bind <address>", "the server's address, where it is not the environment's")
    .allowExcessArguments(false)
    .action((flags: Flags) => choose({ kind: "healthcheck", flags: { ...command.opts<Flags>(), ...flags } }));
  addEnv(command, (run) => choose({ kind: "run", run }));
  addCompose(command, (run) => choose({ kind: "run", run }));
  addDoctor(command, (request) => choose({ kind: "doctor", request: { ...command.opts<Flags>(), ...request } }));
  addHelp(command);
  addVersion(command, version, (run) => choose({ kind: "run", run }));
  sayAsOurs(command);
  try {
    command.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { kind: "exit", code: error.exitCode === 0 ? 0 : 2 };
  }
  if (invocation === undefined) throw new Error("commander ran no command");
  return invocation;
}

/** The server's options before a command that has no use for them would be dropped in silence. */
function refuseMisplaced(program: Command, chosen: Command): void {
  let name = "";
  for (let at = chosen; at.parent; at = at.parent) name = `${at.name()} ${name}`.trim();
  if (["", "serve", "healthcheck", "doctor"].includes(name)) return;
  const [option] = Object.keys(program.opts());
  if (option === undefined) return;
  refuse(
    program,
    `--${option} before '${name}' is the server's`,
    `put it behind '${name}' where it has one, or leave it out`,
  );
}

/** In characters: no name of a host, a container or an interface is longer, and no path. */
const NAME_MAX = 255;
const PATH_MAX = 4096;
const NAMES = ["bind", "port", "address", "container", "format", "bridge"];

/** Before they are read: what is wrong with a value is said with all of it. */
function refuseTooLong(command: Command): void {
  for (const option of command.options) {
    const name = option.attributeName();
    const max = NAMES.includes(name) ? NAME_MAX : PATH_MAX;
    const value = [command.getOptionValue(name)].flat().find((one) => typeof one === "string" && one.length > max);
    if (value !== undefined) refuseLong(command, `${option.long}`, value, max);
  }
  // Of the program itself there are none but unknown commands.
  const argument = command.parent && command.args.find((one) => one.length > PATH_MAX);
  if (argument) refuseLong(command, "an argument", argument, PATH_MAX);
}

/** An option whose value was left out would take the next one for it. */
function refuseOptionsAsValues(command: Command): void {
  for (const option of command.options) {
    const value = [command.getOptionValue(option.attributeName())].flat().find((one) => /^--/.test(String(one)));
    if (value === undefined) continue;
    refuse(
      command,
      `${option.long} is '${shown(String(value), WORD_CHARACTERS_MAX)}', which looks like an option`,
      `give it a value: ${option.flags}`,
    );
  }
}

function refuseLong(command: Command, what: string, value: string, max: number): never {
  const words = shown(value, WORD_CHARACTERS_MAX);
  return refuse(command, `${what} is '${words}', which is longer than ${max} characters`, "give the one that you mean");
}

function addServerOptions(command: Command): Command {
  return command
    .option("--offline", "well-formed dummy credentials, never a call to AWS")
    .option("--port <port>", "port to listen on")
    .option("--bind <address>", "address to listen on");
}
