import type { Environment } from "../../config.ts";
import { discover } from "../../engine/discover.ts";
import { AppError } from "../../errors.ts";

const USUAL = "/var/run/docker.sock";

/**
 * The engine's socket as a container's volume has to name it. Engines in a virtual machine have it at the usual place in
 * there, whatever its path is outside: on macOS and Windows always, on Linux with Docker Desktop, Lima, Colima and Rancher
 * Desktop. A rootless engine's ~/.docker/run is none of these.
 */
export function engineSocket(env: Environment, platform: string): string {
  if (platform !== "linux") return USUAL;
  try {
    const docker = { host: env.DOCKER_HOST || undefined, apiVersion: undefined, certPath: undefined, tlsVerify: false };
    const { target } = discover(docker, env);
    const path = target.replace(/^unix:\/\//, "");
    return path.startsWith("/") && !/\/\.(docker\/desktop|lima|colima|rd)\//.test(path) ? path : USUAL;
  } catch (error) {
    if (error instanceof AppError) return USUAL;
    throw error;
  }
}
