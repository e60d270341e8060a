import { AppError } from "../../errors.ts";

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
  /** The server gives dummy credentials. */
  readonly offline?: boolean;
  /** Write no server: it runs in a project of its own. */
  readonly join?: boolean;
  /** Write that project. */
  readonly server?: boolean;
}

/**
 * @param given the project's files
 * @throws AppError `bad-configuration` for a value that cannot be used, or an option that has no use beside another
 */
export function refuseUnusable(options: ComposeOptions, given: readonly string[]): void {
  const { image, socket, output, server, join, offline, role, projectDirectory } = options;
  if (server) {
    const useless = { FILE: given[0], "--join": join, "--role": role, "--project-directory": projectDirectory };
    refuseBeside("--server", useless, "it is a project of its own");
  }
  if (join) refuseBeside("--join", { "--socket": socket, "--offline": offline }, "it writes no server");
  if (output === "") throw refused("--output is empty", "name a file, or - for stdout");
  if (image !== undefined && !isImageName(image)) {
    throw refused(`--image is '${image}', which is not an image name`, "name it as in --image registry/name:tag");
  }
  if (socket !== undefined && !isVolumeSource(socket)) {
    throw refused(
      `--socket is '${socket}', which is not an absolute path without a colon`,
      "name it as in --socket /var/run/docker.sock",
    );
  }
}

function refuseBeside(option: string, useless: Readonly<Record<string, unknown>>, why: string): void {
  const [what] = Object.entries(useless).find(([, value]) => value !== undefined) ?? [];
  if (what !== undefined) throw refused(`${option} cannot be combined with ${what}: ${why}`);
}

/** A colon would end it if the file names it with its place in the container. */
export function isVolumeSource(path: string): boolean {
  return /^\/[^:]*$/.test(path);
}

/**
 * The role of each service that is given one.
 *
 * @throws AppError `bad-configuration` for what is not `service=role`, and for a second role of a service
 */
export function rolesOf(given: readonly string[]): Map<string, string> {
  const roles = new Map<string, string>();
  for (const text of given) {
    // A role's name may have a = too; a service's may not.
    const at = text.indexOf("=");
    const [service, role] = [text.slice(0, at), text.slice(at + 1)];
    if (at < 1 || role === "") {
      throw refused(
        `--role is '${text}', which is not SERVICE=ROLE`,
        "name the service, as in --role web=app; repeat it for others",
      );
    }
    if (roles.has(service)) throw refused(`--role gives the service '${service}' two roles`, "a container has one");
    roles.set(service, role);
  }
  return roles;
}

function refused(message: string, hint?: string): AppError {
  return new AppError("bad-configuration", message, hint === undefined ? {} : { hint });
}

/** Whether a text can be an image's name or id. It becomes a part of a path of the engine's API. */
export function isImageName(text: string): boolean {
  return /^[a-z\d]([\w./:@+-]*[a-z\d])?$/i.test(text) && !/\.\.|\/\//.test(text);
}
