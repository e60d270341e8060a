import { isIPv4 } from "node:net";
import { HIDING_FILES, HIDING_VARIABLES } from "../container-variables.ts";

/** What we read of a Compose project. */
export interface Project {
  readonly name: string;
  readonly services: readonly Service[];
  readonly networks: readonly ProjectNetwork[];
  /** What stands in its files and could not be taken into account, a sentence each. */
  readonly unresolved: readonly string[];
}

export interface ProjectNetwork {
  readonly key: string;
  /** What the engine calls it, where the project says so. */
  readonly name: string | undefined;
  readonly subnets: readonly string[];
}

export function toNetworks(raw: unknown): ProjectNetwork[] {
  if (!isRecord(raw)) return [];
  return Object.entries(raw).map(([key, value]) => {
    const network = isRecord(value) ? value : {};
    return { key, name: textOf(network.name), subnets: subnetsOf(network) };
  });
}

function subnetsOf(network: Raw): string[] {
  const config = isRecord(network.ipam) ? network.ipam.config : undefined;
  return listOf(config).flatMap((entry) => (isRecord(entry) && textOf(entry.subnet)) || []);
}

/** The name that Compose makes of a folder's. */
export function projectName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");
}

/** Whether two IPv4 subnets have an address in common. What is none has none. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [parseSubnet(one), parseSubnet(other)];
  const size = 2 ** (32 - Math.min(a.prefix, b.prefix));
  return Math.floor(a.address / size) === Math.floor(b.address / size);
}

function parseSubnet(text: string): { readonly address: number; readonly prefix: number } {
  const [, address = "", prefix = "32"] = /^([\d.]+)(?:\/(\d+))?$/.exec(text) ?? [];
  if (!isIPv4(address)) return { address: Number.NaN, prefix: 32 };
  return { address: address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0), prefix: Number(prefix) };
}

/** What we read of a service of a Compose file, in the file's long or short forms alike. */
export interface Service {
  readonly name: string;
  readonly image?: string | undefined;
  readonly containerName?: string | undefined;
  readonly networkMode?: string | undefined;
  /** How many containers it has; undefined where it does not say. */
  readonly replicas?: number | undefined;
  /** Without any, the project's default network. */
  readonly networks: readonly string[];
  /** IPv4 addresses that it asks for. */
  readonly addresses: readonly string[];
  /** Names of the variables that it sets: values are nobody's business here. */
  readonly variables: readonly string[];
  /** Folders and files inside the container that come from outside. */
  readonly mounts: readonly string[];
}

const FILES = HIDING_FILES.map(([variable]) => variable);

export type Raw = Readonly<Record<string, unknown>>;

/** @param variables further names, of its env files */
export function toService(name: string, raw: Raw, variables: readonly string[] = []): Service {
  const networks = isRecord(raw.networks) ? raw.networks : {};
  return {
    name,
    image: textOf(raw.image),
    containerName: textOf(raw.container_name),
    networkMode: textOf(raw.network_mode),
    replicas: countOf(raw.scale) ?? countOf(isRecord(raw.deploy) ? raw.deploy.replicas : undefined),
    networks: Array.isArray(raw.networks) ? raw.networks.filter(isText) : Object.keys(networks),
    addresses: Object.values(networks).flatMap((of) =>
      isRecord(of) && isText(of.ipv4_address) ? [of.ipv4_address] : [],
    ),
    variables: [...variables, ...variableNames(raw.environment)],
    mounts: listOf(raw.volumes).flatMap(mountTarget),
  };
}

/** What a later file, or a service that extends another, says over what was said before. */
export function mergeServices(base: Service, over: Service): Service {
  const union = (list: (service: Service) => readonly string[]) => [...new Set([...list(base), ...list(over)])];
  return {
    name: over.name,
    image: over.image ?? base.image,
    containerName: over.containerName ?? base.containerName,
    networkMode: over.networkMode ?? base.networkMode,
    replicas: over.replicas ?? base.replicas,
    networks: union(({ networks }) => networks),
    addresses: union(({ addresses }) => addresses),
    variables: union(({ variables }) => variables),
    mounts: union(({ mounts }) => mounts),
  };
}

/** What keeps its SDKs from asking the endpoint, in words. */
export function hidersOf(service: Service): string[] {
  const mount = service.mounts.find((target) => /\/\.aws(\/|$)/.test(target));
  return [
    ...[...HIDING_VARIABLES, ...FILES].filter((name) => service.variables.includes(name)),
    ...(mount === undefined ? [] : [`a volume at ${mount}`]),
  ];
}

function variableNames(environment: unknown): string[] {
  if (isRecord(environment)) return Object.keys(environment);
  return listOf(environment).flatMap((entry) => (isText(entry) ? [entry.split("=", 1)[0] ?? ""] : []));
}

function mountTarget(volume: unknown): string[] {
  if (isRecord(volume)) return isText(volume.target) ? [volume.target] : [];
  if (!isText(volume)) return [];
  const [source = "", target] = volume.replace(/^[A-Za-z]:[\\/]/, "/").split(":");
  return [target ?? source];
}

/** A number, or the text of one that was a variable. */
function countOf(value: unknown): number | undefined {
  return value === undefined || value === null || value === "" || Number.isNaN(Number(value))
    ? undefined
    : Number(value);
}

export function isRecord(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isText(value: unknown): value is string {
  return typeof value === "string";
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
