import { isIP } from "node:net";
import { AppError } from "../errors.ts";
import type { LogFormat, LogLevel } from "../log.ts";
import { withoutUserinfo } from "../text.ts";
import { type AccessConfig, readAccess } from "./access.ts";
import { type AwsConfig, readAws } from "./aws.ts";
import { readTask, type TaskConfig } from "./task.ts";

/** An environment as `process.env` has it; an argument everywhere, so that a test can give its own. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface DockerConfig {
  readonly host: string | undefined;
  readonly apiVersion: string | undefined;
  readonly certPath: string | undefined;
  readonly tlsVerify: boolean;
}

export interface Config {
  readonly port: number;
  readonly bindAddress: string;
  readonly offline: boolean;
  readonly task: TaskConfig;
  readonly taskMetadataPath: string | undefined;
  readonly containerMetadataPath: string | undefined;
  /** Files with a task definition each. */
  readonly taskDefinitionPaths: readonly string[];
  /** Whether `/creds` returns the role of the caller's task. */
  readonly useTaskRole: boolean;
  readonly access: AccessConfig;
  readonly docker: DockerConfig;
  readonly aws: AwsConfig;
  readonly rolesPath: string | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** What the command line says; it wins over the environment. */
export interface Flags {
  readonly port?: string;
  readonly bind?: string;
  readonly offline?: boolean;
}

const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warning", "error"];
const LOG_FORMATS: readonly LogFormat[] = ["text", "json"];

/**
 * Reads the configuration once, before anything starts.
 *
 * @param env the variables of design section 8; an empty value counts as unset, as with the reference
 * @param flags the command line's, which win
 * @returns a frozen Config
 * @throws AppError `bad-configuration`, which lists every problem at once
 */
export function parseConfig(env: Environment, flags: Flags = {}): Config {
  const problems: string[] = [];
  const read = (name: string): string | undefined => env[name]?.trim() || undefined;

  const choice = <T extends string>(name: string, allowed: readonly T[], fallback: T): T => {
    const value = read(name)?.toLowerCase();
    if (value === undefined) return fallback;
    const match = allowed.find((candidate) => candidate === value);
    if (match === undefined) problems.push(`${name} is '${value}', which is not one of ${allowed.join(", ")}`);
    return match ?? fallback;
  };
  const flag = (name: string): boolean => {
    const isOn = readSwitch(env[name]);
    if (isOn === undefined) problems.push(`${name} is '${read(name)?.toLowerCase()}', which is neither 1 nor 0`);
    return isOn ?? true;
  };
  const portName = flags.port === undefined ? "ECS_LOCAL_METADATA_PORT" : "--port";
  const config: Config = {
    port: parsePort(portName, flags.port ?? read("ECS_LOCAL_METADATA_PORT") ?? "80", problems),
    bindAddress: parseAddress(flags.bind?.trim() || undefined, read("ECS_LOCAL_BIND_ADDRESS"), problems),
    offline: flag("ECS_LOCAL_OFFLINE") || flags.offline === true,
    task: readTask(read, problems),
    taskMetadataPath: read("TASK_METADATA_PATH"),
    containerMetadataPath: read("CONTAINER_METADATA_PATH"),
    taskDefinitionPaths: parsePaths(read("ECS_LOCAL_TASK_DEFINITION")),
    useTaskRole: flag("ECS_LOCAL_USE_TASK_ROLE"),
    access: readAccess(read, flag, problems),
    docker: {
      host: parseDockerHost(read("DOCKER_HOST"), problems),
      apiVersion: parseApiVersion(read("DOCKER_API_VERSION"), problems),
      certPath: read("DOCKER_CERT_PATH"),
      tlsVerify: read("DOCKER_TLS_VERIFY") !== undefined,
    },
    aws: readAws(read, problems),
    rolesPath: read("ECS_LOCAL_ROLES"),
    logLevel: choice("ECS_LOCAL_LOG_LEVEL", LOG_LEVELS, "info"),
    logFormat: choice("ECS_LOCAL_LOG_FORMAT", LOG_FORMATS, "text"),
  };
  if (config.useTaskRole && config.taskDefinitionPaths.length === 0) {
    problems.push(
      "ECS_LOCAL_USE_TASK_ROLE is set without a task definition: set ECS_LOCAL_TASK_DEFINITION to the file whose taskRoleArn is to be returned",
    );
  }
  if (problems.length > 0) throw new AppError("bad-configuration", problems.join("\n"));
  return deepFreeze(config);
}

/** A variable that turns something on or off; undefined for a value that is neither. */
export function readSwitch(value = ""): boolean | undefined {
  const text = value.trim().toLowerCase();
  if (["", "0", "false", "no", "off"].includes(text)) return false;
  return ["1", "true", "yes", "on"].includes(text) || undefined;
}

function parsePaths(value: string | undefined): string[] {
  const paths = (value ?? "").split(",").map((path) => path.trim());
  return [...new Set(paths.filter(Boolean))];
}

function parsePort(name: string, value: string, problems: string[]): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (port >= 1 && port <= 65535) return port;
  problems.push(`${name} is '${value}', which is not a port: give a whole number from 1 to 65535, such as 51679`);
  return 0;
}

/** An IP address, an IPv6 one in brackets or not, or a host's name. */
function parseAddress(bind: string | undefined, variable: string | undefined, problems: string[]): string {
  const value = bind ?? variable ?? "127.0.0.1";
  const address = value.replace(/^\[(.*:.*)\]$/, "$1");
  if (isIP(address) !== 0) return address;
  if (isHostName(value)) return value;
  problems.push(
    `${bind === undefined ? "ECS_LOCAL_BIND_ADDRESS" : "--bind"} is '${value}', which is neither an IP address nor a host name: give an address of this machine, such as 127.0.0.1, 0.0.0.0 or ::1`,
  );
  return "";
}

/** Whether it can be a host's name: one of digits and dots alone can only be an address. */
export function isHostName(text: string): boolean {
  return (
    !/^[\d.]+$/.test(text) && text.length <= 253 && /^([a-z\d_]([\w-]{0,61}[a-z\d_])?(\.(?!$)|\.?$))+$/i.test(text)
  );
}

function parseDockerHost(value: string | undefined, problems: string[]): string | undefined {
  if (value !== undefined && !/^((unix:\/\/)?\/.|(tcp|https?):\/\/[^/])/.test(value)) {
    problems.push(`DOCKER_HOST is '${withoutUserinfo(value)}', which is neither unix:///path nor tcp://host:port`);
  }
  return value;
}

function parseApiVersion(value: string | undefined, problems: string[]): string | undefined {
  if (value !== undefined && !/^v?\d+\.\d+$/.test(value)) {
    problems.push(`DOCKER_API_VERSION is '${value}', which is not a version such as 1.44`);
  }
  return value?.replace(/^v/, "");
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === "object" && inner !== null) deepFreeze(inner);
  return Object.freeze(value);
}
