import { type Command, Option } from "commander";
import type { ComposeOptions } from "../commands/compose/options.ts";
import type { EnvOptions } from "../commands/env.ts";
import type { Said } from "../commands/said.ts";
import type { Environment } from "../config/config.ts";
import { refuse } from "./usage-error.ts";

type Run = (what: (env: Environment) => Promise<Said>) => void;

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
