import type { Container } from "./container.ts";
import { contains } from "./ip-address.ts";
import { createSharers } from "./sharers.ts";

export interface Network {
  readonly id: string;
  readonly name: string;
  readonly subnets: readonly string[];
  readonly gateways: readonly string[];
  readonly driver?: string | undefined;
}

/** Whether the network id of an attachment means this network: Podman's containers call their networks by name. */
export function isCalled({ id, name }: Network, networkId: string): boolean {
  return networkId === id || networkId === name;
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
  /**
   * Whether the engine's networks are not those that we are on, as where it is rootless or another machine's and we run in
   * none of its containers: then no address is that of a container, a network or a gateway of it.
   */
  readonly isElsewhere: () => boolean;
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
  /** Begins with an engine. Where it is the one of before, what that said of its place stays. */
  readonly begin: (target: string, isElsewhere: boolean) => void;
  readonly setElsewhere: (isElsewhere: boolean) => void;
}

/** Which container is our own depends on our own addresses too, which change without a word of the engine. */
export const OWN_KNOWN_FOR_MS = 1_000;

/** @param isOwn whether a container is the one that we run in */
export function createPicture(isOwn: (container: Container) => boolean = () => false): MutablePicture {
  const containers = new Map<string, Container>();
  const addresses = createAddresses();
  const sharers = createSharers(containers);
  let networks: readonly Network[] = [];
  let gateways = new Set<string>();
  let machine: Machine | undefined;
  let revision = 0;
  let target = "";
  let elsewhere = false;
  /** Whether we run in none of its containers, and when that was seen. */
  let outside = { at: -1, untilMs: 0, isSo: false };

  function isElsewhere(): boolean {
    if (!elsewhere) return false;
    const nowMs = performance.now();
    if (outside.at !== revision || nowMs > outside.untilMs) {
      const isSo = !containers.values().some((each) => each.running && isOwn(each));
      outside = { at: revision, untilMs: nowMs + OWN_KNOWN_FOR_MS, isSo };
    }
    return outside.isSo;
  }

  function setElsewhere(next: boolean): void {
    if (elsewhere === next) return;
    elsewhere = next;
    revision += 1;
  }

  function withdraw(id: string): void {
    const container = containers.get(id);
    if (container !== undefined) addresses.withdraw(container);
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
    if (!gateways.has(address) || isElsewhere()) return false;
    const bridges = networks.filter((network) => network.driver === "bridge");
    if (bridges.some((bridge) => bridge.gateways.includes(address))) return true;
    // The engine's document of a network may leave the gateway out; that of a container on it does not.
    return [...containers.values()].some(
      ({ running, attachments }) =>
        running &&
        attachments.some((a) => a.gateways.includes(address) && bridges.some((each) => isCalled(each, a.networkId))),
    );
  }

  return {
    containers,
    networks: () => networks,
    machine: () => machine,
    isElsewhere,
    revision: () => revision,
    claimants: (address) => (isElsewhere() ? [] : addresses.of(address)),
    isGateway: (address) => gateways.has(address) && !isElsewhere(),
    isBridgeGateway,
    isInSubnet: (address, networkId) =>
      !isElsewhere() &&
      networks.some(
        (network) =>
          (networkId === undefined || isCalled(network, networkId)) &&
          network.subnets.some((subnet) => contains(subnet, address)),
      ),
    withdraw,
    put(container) {
      withdraw(container.id);
      sharers.put(container);
      if (!container.running) return;
      addresses.add(container);
      for (const attachment of container.attachments) for (const gateway of attachment.gateways) gateways.add(gateway);
    },
    remove(id) {
      withdraw(id);
      sharers.remove(id);
    },
    setMachine(next) {
      if (next?.cpus === machine?.cpus && next?.memoryBytes === machine?.memoryBytes) return;
      machine = next;
      revision += 1;
    },
    begin(next, isNextElsewhere) {
      if (target === next) return;
      target = next;
      // What another engine had there, or said of its machine, is believed no longer.
      addresses.clear();
      machine = undefined;
      setElsewhere(isNextElsewhere);
      revision += 1;
    },
    setElsewhere,
    setNetworks(next) {
      const before = JSON.stringify([networks, [...gateways].sort()]);
      if (JSON.stringify(next) !== JSON.stringify(networks)) networks = next;
      indexGateways();
      // Podman's are read again and again: what was made of the same ones stays good.
      if (JSON.stringify([networks, [...gateways].sort()]) !== before) revision += 1;
    },
  };
}

/** The running containers by the addresses that they have: more than one where networks overlap. */
export interface Addresses {
  readonly of: (address: string) => readonly Container[];
  readonly add: (container: Container) => void;
  readonly withdraw: (container: Container) => void;
  readonly clear: () => void;
}

/** Without those that share another's network namespace: their addresses are its owner's. */
function createAddresses(): Addresses {
  const claimants = new Map<string, readonly Container[]>();
  return {
    of: (address) => claimants.get(address) ?? [],
    add(container) {
      for (const address of addressesOf(container)) {
        claimants.set(address, [...(claimants.get(address) ?? []), container]);
      }
    },
    withdraw(container) {
      for (const address of addressesOf(container)) {
        const left = claimants.get(address)?.filter(({ id }) => id !== container.id) ?? [];
        if (left.length > 0) claimants.set(address, left);
        else claimants.delete(address);
      }
    },
    clear: () => claimants.clear(),
  };
}

function addressesOf({ networkOwner, attachments }: Container): string[] {
  if (networkOwner !== undefined) return [];
  const all = attachments.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]);
  return [...new Set(all.filter((address) => address !== undefined))];
}
