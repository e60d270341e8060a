import type { Container } from "./container.ts";
import { contains } from "./ip-address.ts";

export interface Network {
  readonly id: string;
  readonly name: string;
  readonly subnets: readonly string[];
  readonly gateways: readonly string[];
  readonly driver?: string | undefined;
}

/** The machine that the engine runs on. */
export interface Machine {
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** What the engine said last, indexed the ways we are asked for it. Changed by the watcher alone. */
export interface Picture {
  readonly containers: ReadonlyMap<string, Container>;
  readonly networks: () => readonly Network[];
  /** Undefined where the engine does not say. */
  readonly machine: () => Machine | undefined;
  /** Grows with every change: what was made from the picture is good for as long as this is the same. */
  readonly revision: () => number;
  /** The running containers that have the address, without those that share another's network namespace. */
  readonly claimants: (address: string) => readonly Container[];
  readonly isGateway: (address: string) => boolean;
  /** The same for bridges alone: the gateway of a macvlan is the router of the LAN. */
  readonly isBridgeGateway: (address: string) => boolean;
  /** Whether it is in a subnet of the engine's, or of that network. */
  readonly isInSubnet: (address: string, networkId?: string) => boolean;
}

export interface MutablePicture extends Picture {
  readonly put: (container: Container) => void;
  readonly remove: (id: string) => void;
  /** Takes a container's addresses out at once: they may be another's before the engine is asked again. */
  readonly withdraw: (id: string) => void;
  readonly setNetworks: (networks: readonly Network[]) => void;
  readonly setMachine: (machine: Machine | undefined) => void;
}

export function createPicture(): MutablePicture {
  const containers = new Map<string, Container>();
  const claims = new Map<string, Container[]>();
  let networks: readonly Network[] = [];
  let gateways = new Set<string>();
  let machine: Machine | undefined;
  let revision = 0;

  function withdraw(id: string): void {
    for (const address of addressesOf(containers.get(id))) {
      const left = claims.get(address)?.filter((claimant) => claimant.id !== id) ?? [];
      if (left.length > 0) claims.set(address, left);
      else claims.delete(address);
    }
    revision += 1;
  }

  /** Those of networks and of running containers: a network's own are not told of by every engine. */
  function indexGateways(): void {
    gateways = new Set(networks.flatMap((network) => network.gateways));
    for (const container of containers.values()) {
      if (!container.running) continue;
      for (const attachment of container.attachments) for (const gateway of attachment.gateways) gateways.add(gateway);
    }
  }

  function isBridgeGateway(address: string): boolean {
    if (!gateways.has(address)) return false;
    const bridges = networks.filter((network) => network.driver === "bridge");
    if (bridges.some((bridge) => bridge.gateways.includes(address))) return true;
    // The engine's document of a network may leave the gateway out; that of a container on it does not.
    const ids = new Set(bridges.map(({ id }) => id));
    return [...containers.values()].some(
      ({ running, attachments }) =>
        running && attachments.some((a) => ids.has(a.networkId) && a.gateways.includes(address)),
    );
  }

  return {
    containers,
    networks: () => networks,
    machine: () => machine,
    revision: () => revision,
    claimants: (address) => claims.get(address) ?? [],
    isGateway: (address) => gateways.has(address),
    isBridgeGateway,
    isInSubnet: (address, networkId) =>
      networks.some(
        ({ id, subnets }) =>
          (networkId === undefined || networkId === id) && subnets.some((subnet) => contains(subnet, address)),
      ),
    withdraw,
    put(container) {
      withdraw(container.id);
      containers.set(container.id, container);
      if (!container.running) return;
      for (const address of addressesOf(container)) {
        claims.set(address, [...(claims.get(address) ?? []), container]);
      }
      for (const attachment of container.attachments) for (const gateway of attachment.gateways) gateways.add(gateway);
    },
    remove(id) {
      withdraw(id);
      containers.delete(id);
    },
    setMachine(next) {
      machine = next;
      revision += 1;
    },
    setNetworks(next) {
      networks = next;
      indexGateways();
      revision += 1;
    },
  };
}

function addressesOf(container: Container | undefined): string[] {
  if (container === undefined || container.networkOwner !== undefined) return [];
  const all = container.attachments.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]);
  return [...new Set(all.filter((address): address is string => address !== undefined))];
}
