import type { DockerConfig, Environment } from "../config/config.ts";
import { createEngine, type Engine } from "./client.ts";
import { discover } from "./discover.ts";

/**
 * Finds the engine and agrees on a version with it.
 *
 * @throws AppError `engine-unavailable`, `engine-refused` or `engine-bad-answer`, which name the socket or address, or all
 *   that was tried; `bad-configuration` for an address of another kind
 */
export async function connect(docker: DockerConfig, env: Environment): Promise<Engine> {
  return createEngine(discover(docker, env), docker.apiVersion);
}
