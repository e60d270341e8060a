import { Command, CommanderError } from "commander";
import type { ComposeOptions } from "./commands/compose.ts";
import type { EnvOptions } from "./commands/env.ts";
import type { Said } from "./commands/said.ts";
import type { Environment, Flags } from "./config.ts";

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
  | { readonly kind: "run"; readonly run: (env: Environment) => Promise<Said> }
  | { readonly kind: "exit"; readonly code: number };

/**
 * Reads the command line. Help and version go to stdout, an error and what to do about it to stderr, with code 2.
 *
 * @param version what `--version` prints
 */
export function parseArguments(argv: readonly string[], version: string): Invocation {
  let invocation: Invocation | undefined;
  const run = (what: (env: Environment) => Promise<Said>) => {
    invocation = { kind: "run", run: what };
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
    // Without it a command is asked for, where none means serve.
    .action(() => {});
  addEnv(command, run);
  addCompose(command, run);
  try {
    command.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { kind: "exit", code: error.exitCode === 0 ? 0 : 2 };
  }
  return invocation ?? { kind: "serve", flags: command.opts<Flags>() };
}

type Run = (what: (env: Environment) => Promise<Said>) => void;

function addEnv(parent: Command, run: Run): void {
  parent
    .command("env")
    .description("print the variables to set for a container")
    .option("--role <role>", "credentials of this role (name, path/name or ARN) instead of your own identity")
    .option("--container <name>", "metadata of this container instead of the one that asks")
    .option("--address <host[:port]>", "where the server answers, 169.254.170.2 unless given")
    .option("--format <format>", "shell, dotenv or yaml", "shell")
    .action((options: EnvOptions) => run(async (env) => (await import("./commands/env.ts")).env(options, env)));
}

function addCompose(parent: Command, run: Run): void {
  const collect = (value: string, before: readonly string[] = []) => [...before, value];
  parent
    .command("compose")
    .description("write an override file that gives each service of a Compose project its endpoints")
    .argument("[FILE...]", "the project's files, those that docker compose would take unless given")
    .option("--project-directory <folder>", "where the project's paths start from")
    .option("--role <service=role>", "credentials of a role for a service; repeat it for others", collect)
    .option("--output <file>", "what to write, compose.ecs-local.yaml beside the first file unless given; - for stdout")
    .option("--force", "write over a file that exists")
    .option("--image <image>", "the server's image, ecs-local-endpoints:dev unless given")
    .option("--socket <path>", "the engine's socket, found unless given")
    .option("--server", "write a project of its own for the server, which several projects share")
    .option("--join", "write no server: join the one of --server")
    .action((files: string[], options: ComposeOptions) =>
      run(async (env) => {
        const { compose } = await import("./commands/compose.ts");
        return compose(files, options, env, { cwd: process.cwd(), platform: process.platform });
      }),
    );
}
