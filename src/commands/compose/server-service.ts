import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Environment, readSwitch } from "../../config/config.ts";
import { IMAGE } from "./names.ts";
import type { ComposeOptions } from "./options.ts";
import { engineSocket, isMissing } from "./socket.ts";

/** What the file's server is made of. */
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
): { readonly server: ServerOptions; readonly said: readonly string[] } {
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
    said: [
      ...(socket !== undefined && isMissing(socket, env, platform)
        ? [`warning: --socket is '${socket}', which is no socket on this machine`]
        : []),
      ...(hasIdentity
        ? []
        : ["warning: there is no ~/.aws: give the server another identity, or --offline for dummy credentials"]),
      ...(image === undefined
        ? [`hint: its image ${IMAGE} is made by ./scripts/image of a clone; --image names another`]
        : []),
    ],
  };
}
