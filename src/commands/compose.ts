import { existsSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import type { Environment } from "../config.ts";
import { AppError } from "../errors.ts";
import { shellWords } from "../shell-words.ts";
import { type Files, findFiles } from "./compose/files.ts";
import { SERVER_FILE } from "./compose/names.ts";
import { failingOnOneLine, oneLine } from "./compose/one-line.ts";
import { planShares, type Share } from "./compose/plan.ts";
import { askPlugin } from "./compose/plugin.ts";
import { engineSocket } from "./compose/socket.ts";
import { overrideText, type ServerOptions, serverCommand, serverText } from "./compose/text.ts";
import { written } from "./compose/written.ts";
import { readProject } from "./compose/yaml.ts";
import type { Said } from "./said.ts";
import { regionOf, variablesOf } from "./variables.ts";

export interface ComposeOptions {
  /** The project's files, before those that are arguments. */
  readonly file?: readonly string[];
  readonly projectDirectory?: string;
  /** Each as `service=role`. */
  readonly role?: readonly string[];
  readonly output?: string;
  readonly force?: boolean;
  readonly image?: string;
  readonly socket?: string;
  /** Write no server: it runs in a project of its own. */
  readonly join?: boolean;
  /** Write that project. */
  readonly server?: boolean;
}

/** The folder that the command runs in, and its kind of system. */
export interface Machine {
  readonly cwd: string;
  readonly platform: string;
}

const DEFAULT_IMAGE = "ecs-local-endpoints:dev";

/**
 * Writes an override file for a Compose project: our service, the network that it shares, and the variables of each service.
 *
 * @param given the project's files; none: the usual ones
 * @throws AppError `bad-configuration` for a wrong option; `command-failed` for what cannot be read or written
 */
export function compose(given: readonly string[], options: ComposeOptions, env: Environment, machine: Machine): Said {
  return failingOnOneLine(() => {
    const { stdout, stderr } = write(given, options, env, machine);
    return { stdout, stderr: stderr.map(oneLine) };
  });
}

function write(named: readonly string[], options: ComposeOptions, env: Environment, machine: Machine): Said {
  const { cwd, platform } = machine;
  const given = [...(options.file ?? []), ...named];
  const roles = rolesOf(options.role ?? []);
  refuseUnusable(options);
  const server: ServerOptions = {
    image: options.image ?? DEFAULT_IMAGE,
    socket: options.socket ?? engineSocket(env, platform),
    hasAwsFolder: env.HOME !== undefined && existsSync(join(env.HOME, ".aws")),
    hasKeys: !!env.AWS_ACCESS_KEY_ID,
  };
  const hasIdentity = server.hasAwsFolder || server.hasKeys || !!env.ECS_LOCAL_OFFLINE;
  const unidentified = hasIdentity
    ? []
    : ["warning: there is no ~/.aws: give the server another identity, or ECS_LOCAL_OFFLINE=1 for dummy credentials"];
  if (options.server) {
    if (given.length > 0 || options.join || options.role) {
      throw new AppError(
        "bad-configuration",
        "--server goes with no FILE, --join or --role: it is a project of its own",
      );
    }
    const target = options.output ?? SERVER_FILE;
    const file = target === "-" ? SERVER_FILE : target;
    return written(target, serverText(server, basename(file)), { cwd, force: options.force }, [
      ...unidentified,
      `hint: ${serverCommand(file)}`,
    ]);
  }
  const files = findFiles(given, cwd, options.projectDirectory, env, options.output);
  const file = options.output === undefined || options.output === "-" ? relative(cwd, files.target) : options.output;
  const target = options.output ?? file;
  const region = regionOf(env);
  const fromPlugin = askPlugin(files, env);
  const project = fromPlugin ?? readProject(files);
  if (project.services.length === 0 && project.unresolved.length === 0) {
    throw new AppError("command-failed", `${files.paths.join(", ")} has no services`, {
      hint: "a Compose file names each under the key services",
    });
  }
  const shares = planShares(project, roles, region, server.image);
  // In the file as it is run beside the file, so that it is the same from wherever it was written.
  const beside = upCommand(files, dirname(files.target), options.projectDirectory && files.directory);
  const text = overrideText(shares, variablesOf({ region }), options.join ? undefined : server, beside);
  const command = upCommand(files, cwd, options.projectDirectory && files.directory);
  const others = options.join ? [] : ["hint: for several projects at once, see --server and --join"];
  return written(target, text, { cwd, force: options.force }, [
    ...project.unresolved.map((what) => `warning: ${what}`),
    ...warningsOf(shares),
    ...(options.join ? [] : unidentified),
    `hint: ${command}`,
    ...others,
  ]);
}

function warningsOf(shares: readonly Share[]): string[] {
  return shares.flatMap(({ name, warnings }) => warnings.map((warning) => `warning: service '${name}' ${warning}`));
}

function refuseUnusable({ image, socket, output }: ComposeOptions): void {
  if (output === "")
    throw new AppError("bad-configuration", "--output is empty", { hint: "name a file, or - for stdout" });
  if (image?.trim() === "") throw new AppError("bad-configuration", "--image is empty", { hint: "name an image" });
  // A colon would end it where the file names it with its place in the container.
  if (socket === undefined || /^\/[^:]*$/.test(socket)) return;
  throw new AppError("bad-configuration", `--socket is '${socket}', which is not an absolute path without a colon`, {
    hint: "name it as in --socket /var/run/docker.sock",
  });
}

function rolesOf(given: readonly string[]): Map<string, string> {
  const roles = given.map((text): [string, string] => {
    // A role's name may have a = too; a service's may not.
    const at = text.indexOf("=");
    if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)];
    throw new AppError("bad-configuration", `--role is '${text}', which is not SERVICE=ROLE`, {
      hint: "name the service, as in --role web=app; repeat it for others",
    });
  });
  return new Map(roles);
}

/** @param from the folder that it is run in */
function upCommand({ paths, envFiles, target }: Files, from: string, directory: string | undefined): string {
  const variables = envFiles.flatMap((path) => ["--env-file", relative(from, path)]);
  const shown = [...paths, target].flatMap((path) => ["-f", relative(from, path)]);
  const project = directory === undefined ? [] : ["--project-directory", relative(from, directory) || "."];
  return shellWords(["docker", "compose", ...project, ...variables, ...shown, "up"]);
}
