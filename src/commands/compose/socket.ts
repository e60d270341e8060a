import { existsSync, statSync } from "node:fs";
import type { Environment } from "../../config/config.ts";
import { discover } from "../../engine/discover.ts";
import { AppError } from "../../errors.ts";
import { isVolumeSource } from "./options.ts";

const USUAL = "/var/run/docker.sock";

/**
 * The engine's socket as a container's volume has to name it. Engines in a virtual machine have it at the usual place in
 * there, whatever its path is outside: on macOS and Windows always, on Linux with Docker Desktop, Lima, Colima and Rancher
 * Desktop. A rootless engine's ~/.docker/run is none of these.
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
export function isMissing(path: string, env: Environment, platform: string): boolean {
  if (platform !== "linux" || localSocket(env) === undefined) return false;
  return !existsSync(path) || !statSync(path).isSocket();
}

/** The socket of an engine that sees the paths of this system; undefined where it is none of these, or there is none. */
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
