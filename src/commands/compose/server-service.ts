import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Environment, readSwitch } from "../../config/config.ts";
import { discover } from "../../engine/discover.ts";
import { AppError } from "../../errors.ts";
import { type ComposeOptions, isVolumeSource } from "./options.ts";

export const SERVER = "ecs-local-endpoints";
export const SERVER_FILE = `${SERVER}.yaml`;
export const NETWORK = "ecs-local";
export const SUBNET = "169.254.170.0/24";
/** The image that `./scripts/image` builds. */
export const IMAGE = `${SERVER}:dev`;

/** The server in the files that `compose` writes. */
export interface ServerOptions {
  readonly image: string;
  /** The engine's socket on the machine. */
  readonly socket: string;
  /** Whether there is a folder ~/.aws: an engine would make one that belongs to root. */
  readonly hasAwsFolder: boolean;
  /** Whether keys are the identity of the shell, to be passed on. */
  readonly hasKeys: boolean;
  /** Whether it serves dummy credentials, whatever the shell says. */
  readonly isOffline: boolean;
}

/**
 * The server that the options and the shell ask for, and what a user should know of it.
 *
 * @throws AppError `bad-configuration` where no volume can name the engine's socket
 */
export function serverOf(
  { image, socket, offline = false }: ComposeOptions,
  env: Environment,
  platform: string,
): { readonly server: ServerOptions; readonly notes: readonly string[] } {
  const server = {
    image: image ?? IMAGE,
    socket: socket ?? engineSocket(env, platform),
    hasAwsFolder: env.HOME !== undefined && existsSync(join(env.HOME, ".aws")),
    hasKeys: !!env.AWS_ACCESS_KEY_ID,
    isOffline: offline,
  };
  const hasIdentity = server.hasAwsFolder || server.hasKeys || offline || readSwitch(env.ECS_LOCAL_OFFLINE);
  return {
    server,
    notes: [
      ...(socket !== undefined && isMissing(socket, env, platform)
        ? [`warning: --socket is '${socket}', which is not a socket on this machine`]
        : []),
      ...(hasIdentity
        ? []
        : ["warning: there is no ~/.aws: give the server another identity, or --offline for dummy credentials"]),
      ...(image === undefined ? [`hint: its image ${IMAGE} is built by ./scripts/image; use --image for another`] : []),
    ],
  };
}

const USUAL = "/var/run/docker.sock";

/**
 * The engine's socket as a container's volume has to name it. Engines in a virtual machine have it at the usual place in
 * there, whatever its path is outside: on macOS and Windows always, on Linux with Docker Desktop, Lima, Colima and Rancher
 * Desktop. A rootless engine's ~/.docker/run is not one of these.
 *
 * @throws AppError `bad-configuration` where no volume can name it
 */
export function engineSocket(env: Environment, platform: string): string {
  const path = (platform === "linux" && localSocket(env)) || USUAL;
  if (isVolumeSource(path)) return path;
  throw new AppError(
    "bad-configuration",
    `the engine's socket is ${path}, and no volume can name a path with a colon`,
    {
      hint: "name a link to it with --socket",
    },
  );
}

/** Whether a path is to be the socket of an engine of this very system, and is none. */
function isMissing(path: string, env: Environment, platform: string): boolean {
  if (platform !== "linux" || localSocket(env) === undefined) return false;
  return !existsSync(path) || !statSync(path).isSocket();
}

/** The socket of an engine that sees the paths of this system; undefined if it is none of these, or there is none. */
function localSocket(env: Environment): string | undefined {
  try {
    const docker = { host: env.DOCKER_HOST || undefined, apiVersion: undefined, certPath: undefined, tlsVerify: false };
    const { target } = discover(docker, env);
    const path = target.replace(/^unix:\/\//, "");
    return path.startsWith("/") && !/\/\.(docker\/desktop|lima|colima|rd)\//.test(path) ? path : undefined;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}
