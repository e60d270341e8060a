import type { Environment } from "../../config/config.ts";
import { AppError } from "../../errors.ts";
import { shellWords } from "../../text.ts";
import { HIDING_FILES, HIDING_VARIABLES } from "../container-variables.ts";
import type { Files } from "./find-files.ts";

const TIMEOUT_MS = 20_000;

/** The fields that are read of a Compose project. */
export interface Project {
  readonly name: string;
  readonly services: readonly Service[];
  readonly networks: readonly ProjectNetwork[];
}

export interface ProjectNetwork {
  readonly key: string;
  /** Its name in the engine, if the project sets one. */
  readonly name: string | undefined;
  readonly subnets: readonly string[];
}

export interface Service {
  readonly name: string;
  readonly image?: string | undefined;
  readonly containerName?: string | undefined;
  readonly networkMode?: string | undefined;
  readonly replicas?: number | undefined;
  /** Without any, the service is on the project's default network. */
  readonly networks: readonly string[];
  /** The IPv4 addresses that it asks for. */
  readonly addresses: readonly string[];
  /** The names of its variables. Values may be secrets and are not kept. */
  readonly variables: readonly string[];
  /** Mount targets inside the container. */
  readonly mounts: readonly string[];
}

/**
 * Reads a project with `docker compose config`, for every profile.
 *
 * @param env the environment of this process. The project's `.env` never reaches the program: PATH, LD_PRELOAD or
 *   DOCKER_CONFIG in it would run the project's code.
 * @throws AppError `command-failed` without Docker Compose 2, or if it refuses the project
 */
export function readProject(files: Files, env: Environment): Project {
  const compose = findCompose(files, env);
  const envFiles = files.envFiles.flatMap((path) => ["--env-file", path]);
  const chosen = [...envFiles, ...files.paths.flatMap((path) => ["-f", path])];
  const command = [...compose, ...chosen, "--project-directory", files.directory, "--profile", "*", "config"];
  const { success, stdout, exitedDueToTimeout } = run([...command, "--format", "json"], files, env);
  // Its output may quote a secret.
  const fail = (what: string) =>
    new AppError("command-failed", `docker compose config ${what}`, {
      hint: `run it to see why: ${shellWords([...command, "--quiet"])}`,
    });
  if (exitedDueToTimeout) throw fail(`gave no answer within ${TIMEOUT_MS / 1000} s`);
  if (!success) throw fail("refused the project");
  const document = parse(stdout.toString());
  if (document === undefined) throw fail("did not print JSON");
  const services = Object.entries(recordOf(document.services));
  return {
    name: String(document.name),
    services: services.flatMap(([name, raw]) => (isRecord(raw) && !raw.provider ? [toService(name, raw)] : [])),
    networks: Object.entries(recordOf(document.networks)).map(([key, raw]) => ({
      key,
      name: textOf(recordOf(raw).name),
      subnets: listOf(recordOf(recordOf(raw).ipam).config).flatMap((entry) => textOf(recordOf(entry).subnet) ?? []),
    })),
  };
}

/** Version 1 cannot print JSON. */
function findCompose(files: Files, env: Environment): string[] {
  const candidates = [["docker", "compose"], ["docker-compose"], ["podman", "compose"]];
  const found = candidates.find((command) => {
    if (Bun.which(command[0] ?? "", { PATH: env.PATH ?? "" }) === null) return false;
    const { success, stdout } = run([...command, "version", "--short"], files, env);
    return success && /^v?([2-9]|\d\d)\./.test(stdout.toString());
  });
  if (found !== undefined) return found;
  throw new AppError("command-failed", "Docker Compose 2 is not installed: 'docker compose version' does not work", {
    hint: "install it (docs.docker.com/compose/install), or set the variables by hand: ecs-local-endpoints env --format yaml",
  });
}

function run([program = "", ...args]: readonly string[], { cwd }: Files, env: Environment) {
  const path = Bun.which(program, { PATH: env.PATH ?? "" }) ?? program;
  return Bun.spawnSync([path, ...args], { cwd, env, stderr: "ignore", timeout: TIMEOUT_MS });
}

type Raw = Readonly<Record<string, unknown>>;

function toService(name: string, raw: Raw): Service {
  const networks = recordOf(raw.networks);
  return {
    name,
    image: textOf(raw.image),
    containerName: textOf(raw.container_name),
    networkMode: textOf(raw.network_mode),
    replicas: numberOf(raw.scale) ?? numberOf(recordOf(raw.deploy).replicas),
    networks: Object.keys(networks),
    addresses: Object.values(networks).flatMap((network) => textOf(recordOf(network).ipv4_address) ?? []),
    variables: Object.keys(recordOf(raw.environment)),
    mounts: listOf(raw.volumes).flatMap((volume) => textOf(recordOf(volume).target) ?? []),
  };
}

/** The settings of a service that its SDKs use before the endpoint. */
export function hidersOf({ variables, mounts }: Service): string[] {
  const names = [...HIDING_VARIABLES, ...HIDING_FILES.map(([variable]) => variable)];
  const mount = mounts.find((target) => /\/\.aws(\/|$)/.test(target));
  return [
    ...names.filter((name) => variables.includes(name)),
    ...(mount === undefined ? [] : [`a volume at ${mount}`]),
  ];
}

function parse(text: string): Raw | undefined {
  try {
    const document: unknown = JSON.parse(text);
    return isRecord(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function recordOf(value: unknown): Raw {
  return isRecord(value) ? value : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
