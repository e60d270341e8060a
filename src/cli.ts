import { Command, CommanderError } from "commander";
import { addDoctor } from "./cli/doctor.ts";
import type { DoctorRequest } from "./commands/doctor-request.ts";
import type { NetworkRequest } from "./commands/network-request.ts";
import type { Flags } from "./config.ts";

const HELP = `
Answers on http://<address>:<port>:
  /creds                        credentials of your own identity
  /role/<name>, /role-arn/<arn> credentials of a role
  /v2/metadata, /v2/stats       task metadata and statistics, version 2
  /v3, /v3/task, /v3/stats      the same, version 3; /v3/containers/<name> for any container
  /health

Environment (the README has all of it):
  ECS_LOCAL_METADATA_PORT       port, 80 unless set
  ECS_LOCAL_BIND_ADDRESS        address to listen on, 127.0.0.1 unless set
  AWS_PROFILE, AWS_REGION, ...  the identity, as for the AWS CLI
  DOCKER_HOST                   the engine, found by itself unless set

Exit codes: 0 ended as asked, 1 failed at run time, 2 wrong usage or configuration`;

/** What the command line asks for. `exit` ends the program at once, its text already written. */
export type Invocation =
  | { readonly kind: "serve"; readonly flags: Flags }
  | { readonly kind: "network"; readonly request: NetworkRequest }
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
  const command = new Command("ecs-local-endpoints")
    .description("The endpoints that Amazon ECS gives a container, for containers on a developer's machine")
    .option("--offline", "well-formed dummy credentials, never a call to AWS")
    .option("--port <port>", "port to listen on")
    .option("--bind <address>", "address to listen on")
    .version(version, "--version", "print the version, commit and build target")
    .helpOption("-h, --help", "print this")
    .addHelpText("after", HELP)
    .allowExcessArguments(false)
    .showHelpAfterError("run ecs-local-endpoints --help for what there is")
    .exitOverride()
    // An option behind a command is the command's, though the server has one of that name.
    .enablePositionalOptions()
    .action(() => choose({ kind: "serve", flags: command.opts<Flags>() }));
  addNetwork(command, (request) => choose({ kind: "network", request }));
  addDoctor(command, (request) => choose({ kind: "doctor", request }));
  try {
    command.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { kind: "exit", code: error.exitCode === 0 ? 0 : 2 };
  }
  if (invocation === undefined) throw new Error("commander ran no command");
  return invocation;
}

const NETWORK_HELP = `
up asks the engine for its bridges unless --bridge names them; it may be run again at any time, and makes what
stands equal to what it was asked. What it does, and why: docs/network.md

Exit codes: 0 done, or all stands; 1 failed, or something is missing; 2 wrong usage`;

function addNetwork(program: Command, choose: (request: NetworkRequest) => void): void {
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
}
