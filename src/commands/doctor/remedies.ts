import { dirname } from "node:path";
import type { Environment } from "../../config/config.ts";
import { TASK_ADDRESS } from "../../engine/ip-address.ts";
import { optionWords } from "../../network/options.ts";
import type { UpOptions } from "../../network/state.ts";
import { shellWords } from "../../text.ts";

const NAME = "ecs-local-endpoints";
/** Where sudo looks for a program on most systems, whatever the PATH of the user. */
const SUDO_PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/** Sockets that root finds without options. */
const ROOTS_SOCKETS = ["unix:///var/run/docker.sock", "unix:///run/docker.sock"];

/** What a remedy has the user type, so that it does what is meant when it is copied. */
export interface Commands {
  /** The command for `network up` for this server, if there is one. */
  readonly networkUp: string | undefined;
  /** Starts the server for it. */
  readonly server: string;
  readonly doctorAsRoot: string;
  /** The engine's own command: `docker` or `podman`. */
  readonly engine: string;
}

/**
 * @param facts.program how this program is run
 * @param facts.asked what `network up` was last asked for, or would have to be
 * @param facts.engine the engine's address, and its product name
 */
export function createCommands(facts: {
  readonly program: readonly string[];
  readonly env: Environment;
  readonly asked: UpOptions;
  readonly engine: { readonly target: string; readonly product: string; readonly isRemote: boolean } | undefined;
  readonly isInContainer: boolean;
  readonly isRoot?: boolean;
  readonly platform?: string;
}): Commands {
  const { program, env, asked, engine, isInContainer, platform = process.platform } = facts;
  const { isRoot = process.geteuid?.() === 0 } = facts;
  const own = isInContainer ? NAME : shortest(program, env);
  // Who is root without sudo may not have it.
  const needsSudo = !isRoot || isInContainer || env.SUDO_USER !== undefined;
  // sudo hands on neither DOCKER_HOST nor the home that has the docker command's contexts.
  const isFound = engine === undefined || ROOTS_SOCKETS.includes(engine.target);
  const host = isFound || isInContainer || !needsSudo ? "" : `env DOCKER_HOST=${shellWords([engine.target])} `;
  const up = `${needsSudo ? "sudo " : ""}${host}${own} ${shellWords(["network", "up", ...optionWords(asked)])}`;
  const sudoE = needsSudo ? "sudo -E " : "";
  const hasBridges = !engine?.isRemote || asked.loopback || asked.bridges !== undefined;
  return {
    networkUp:
      platform === "linux" && hasBridges ? `${isInContainer ? "outside of this container: " : ""}${up}` : undefined,
    server: asked.loopback ? `${sudoE}${own} --bind ${TASK_ADDRESS} --port 80` : `${own} --port ${asked.port}`,
    // With the environment, or root's own identity would be looked at.
    doctorAsRoot: `sudo -E ${own} doctor`,
    engine: engine?.product.startsWith("Podman") ? "podman" : "docker",
  };
}

/** The name alone does where sudo finds it, which an install to ~/.local/bin is not. */
function shortest(program: readonly string[], { PATH = "" }: Environment): string {
  const [first = ""] = program;
  const isOnPath = [SUDO_PATH, PATH.split(":")].every((path) => path.includes(dirname(first)));
  return program.length === 1 && isOnPath && first.endsWith(`/${NAME}`) ? NAME : shellWords(program);
}
