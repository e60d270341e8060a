import { isRecord, listOf, type Raw, type Service, textOf } from "./service.ts";

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
  readonly subnets: readonly string[];
}

export function toNetworks(raw: unknown): ProjectNetwork[] {
  if (!isRecord(raw)) return [];
  return Object.entries(raw).map(([key, network]) => ({ key, subnets: subnetsOf(isRecord(network) ? network : {}) }));
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
