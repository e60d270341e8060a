import { basename, dirname, relative } from "node:path";
import type { Environment } from "../config/config.ts";
import { AppError } from "../errors.ts";
import type { CommandOutput } from "../text.ts";
import { failingOnOneLine, oneLine, shellWords } from "../text.ts";
import { type Files, findFiles } from "./compose/find-files.ts";
import { type ComposeOptions, refuseUnusable, rolesOf } from "./compose/options.ts";
import { planServices, type ServicePlan } from "./compose/plan.ts";
import { readProject } from "./compose/project.ts";
import { overrideText, serverCommand, serverText } from "./compose/render.ts";
import { IMAGE, SERVER_FILE, serverOf } from "./compose/server-service.ts";
import { written } from "./compose/write-file.ts";
import { regionOf, variablesOf } from "./container-variables.ts";

/** The folder that the command runs in, and its kind of system. */
export interface Machine {
  readonly cwd: string;
  readonly platform: string;
}

/**
 * Writes an override file for a Compose project: our service, the network that it shares, and the variables of each service.
 *
 * @param given the project's files; none: the usual ones
 * @throws AppError `bad-configuration` for a wrong option; `command-failed` for what cannot be read or written
 */
export function compose(
  given: readonly string[],
  options: ComposeOptions,
  env: Environment,
  machine: Machine,
): CommandOutput {
  return failingOnOneLine(() => {
    const { stdout, stderr } = write(given, options, env, machine);
    return { stdout, stderr: stderr.map(oneLine) };
  });
}

function write(named: readonly string[], options: ComposeOptions, env: Environment, machine: Machine): CommandOutput {
  const { cwd, platform } = machine;
  const given = [...(options.file ?? []), ...named];
  const roles = rolesOf(options.role ?? []);
  refuseUnusable(options, given);
  const made = options.join ? undefined : serverOf(options, env, platform);
  if (options.server && made) {
    const target = options.output ?? SERVER_FILE;
    const file = target === "-" ? SERVER_FILE : target;
    return written(target, serverText(made.server, basename(file)), { cwd, force: options.force }, [
      ...made.notes,
      `hint: ${serverCommand(file)}`,
    ]);
  }
  const files = findFiles(given, cwd, options.projectDirectory, env, options.output);
  const file = options.output === undefined || options.output === "-" ? relative(cwd, files.target) : options.output;
  const target = options.output ?? file;
  const region = regionOf(env);
  const project = readProject(files, env);
  if (project.services.length === 0) {
    throw new AppError("command-failed", `${files.paths.join(", ")} has no services`, {
      hint: "a Compose file names each under the key services",
    });
  }
  const plans = planServices(project, roles, region, options.image ?? IMAGE);
  // In the file as it is run beside the file, so that it is the same from wherever it was written.
  const beside = upCommand(files, dirname(files.target), options.projectDirectory && files.directory);
  const text = overrideText(plans, variablesOf({ region }), made?.server, beside);
  const command = upCommand(files, cwd, options.projectDirectory && files.directory);
  const others = options.join ? [] : ["hint: for several projects at once, see --server and --join"];
  return written(target, text, { cwd, force: options.force }, [
    ...warningsOf(plans),
    ...(made?.notes ?? []),
    `hint: ${command}`,
    ...others,
  ]);
}

function warningsOf(plans: readonly ServicePlan[]): string[] {
  return plans.flatMap(({ name, warnings }) => warnings.map((warning) => `warning: service '${name}' ${warning}`));
}

/** @param from the folder that it is run in */
function upCommand({ paths, envFiles, target }: Files, from: string, directory: string | undefined): string {
  const variables = envFiles.flatMap((path) => ["--env-file", relative(from, path)]);
  const shown = [...paths, target].flatMap((path) => ["-f", relative(from, path)]);
  const project = directory === undefined ? [] : ["--project-directory", relative(from, directory) || "."];
  return shellWords(["docker", "compose", ...project, ...variables, ...shown, "up"]);
}
