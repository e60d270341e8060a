import { Command, CommanderError } from "commander";
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
  | { readonly kind: "serve" | "healthcheck"; readonly flags: Flags }
  | { readonly kind: "exit"; readonly code: number };

/**
 * Reads the command line. Help and version go to stdout, an error and what to do about it to stderr, with code 2.
 *
 * @param version what `--version` prints
 */
export function parseArguments(argv: readonly string[], version: string): Invocation {
  let kind: "serve" | "healthcheck" = "serve";
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
    .action(() => {
      kind = "serve";
    });
  // What it shares with the server, `--port` and `--bind`, commander takes before and behind its name.
  command
    .command("healthcheck")
    .description("ask the running server whether it is well: exit code 0, else 1")
    .helpOption("-h, --help", "print this")
    .allowExcessArguments(false)
    .action(() => {
      kind = "healthcheck";
    });
  try {
    command.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { kind: "exit", code: error.exitCode === 0 ? 0 : 2 };
  }
  return { kind, flags: command.opts<Flags>() };
}
