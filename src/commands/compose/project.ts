import { isIPv4 } from "node:net";
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
