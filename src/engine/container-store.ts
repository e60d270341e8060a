import type { Container } from "./container.ts";
import { contains } from "./ip-address.ts";
import { perRevision } from "./memo.ts";

export interface Network {
  readonly id: string;
  readonly name: string;
  readonly subnets: readonly string[];
  readonly gateways: readonly string[];
  readonly driver?: string | undefined;
}

/** Whether an endpoint's network id means this network: Podman's containers have the network's name there. */
export function isCalled({ id, name }: Network, networkId: string): boolean {
  return networkId === id || networkId === name;
}

/** The machine that the engine runs on. */
export interface Machine {
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** The containers in memory, by id, address and network. Only the sync with the engine changes it. */
export interface ContainerStore {
  /** By id. A container that shares another's network namespace has the networks of that one. */
  readonly containers: ReadonlyMap<string, Container>;
  readonly networks: () => readonly Network[];
  /** Undefined if the engine does not say. */
  readonly machine: () => Machine | undefined;
  /**
   * Whether an address of the engine's networks means the same here: not with a rootless or remote engine, unless we run
   * in one of its containers. Otherwise no address belongs to a container, network or gateway.
   */
  readonly addressesAreLocal: () => boolean;
  /** Grows with every change. */
  readonly revision: () => number;
  /** The running containers with this address: several if networks overlap. */
  readonly ownersOf: (address: string) => readonly Container[];
  /** Whether several networks contain the address, so that a container not known yet may have it too. */
  readonly isInSeveralNetworks: (address: string) => boolean;
  readonly isGateway: (address: string) => boolean;
  /** The same for bridges only: the gateway of a macvlan is the router of the LAN. */
  readonly isBridgeGateway: (address: string) => boolean;
  readonly isInSubnet: (address: string) => boolean;
}

export interface MutableStore extends ContainerStore {
  readonly put: (container: Container) => void;
  readonly remove: (id: string) => void;
  /** Removes a container's addresses at once: another one may get them before the engine is asked again. */
  readonly withdraw: (id: string) => void;
  readonly setNetworks: (networks: readonly Network[]) => void;
  readonly setMachine: (machine: Machine | undefined) => void;
  /** Starts with an engine. Data of another one does not count any more. */
  readonly begin: (target: string, addressesAreLocal: boolean) => void;
  readonly setAddressesAreLocal: (areLocal: boolean) => void;
}

/** Our own addresses can change without an event of the engine. */
const OWN_KNOWN_FOR_MS = 1_000;
const HOPS_MAX = 3;

/** @param isOwn whether a container is the one that we run in */
export function createContainerStore(isOwn: (container: Container) => boolean = () => false): MutableStore {
  const containers = new Map<string, Container>();
  /** Those that share a network namespace, as the engine has them: without networks. */
  const sharing = new Map<string, Container>();
  const owners = new Map<string, readonly Container[]>();
  let networks: readonly Network[] = [];
  let gateways = new Set<string>();
  let machine: Machine | undefined;
  let revision = 0;
  let target = "";
  let areLocal = true;
  let inside = { revision: -1, untilMs: 0, isSo: false };
  const version = { revision: () => revision };

  function findOwner(idOrName: string): Container | undefined {
    return containers.get(idOrName) ?? containers.values().find(({ name }) => name === idOrName);
  }

  /** Gives each container that shares a network namespace the networks of the last owner. */
  function shareNetworks(): void {
    for (const [id, container] of sharing) {
      let owner = container;
      for (let hops = 0; hops < HOPS_MAX && owner.networkOwner !== undefined; hops += 1) {
        const next = findOwner(owner.networkOwner);
        if (next === undefined) break;
        owner = sharing.get(next.id) ?? next;
      }
      const { endpoints } = owner;
      // The same object while nothing changes, because documents are cached by it.
      if (containers.get(id)?.endpoints !== endpoints) containers.set(id, { ...container, endpoints });
    }
  }

  const bridges = perRevision(version, () => {
    const found = networks.filter(({ driver }) => driver === "bridge");
    const all = new Set(found.flatMap((network) => network.gateways));
    // The engine's document of a network may omit the gateway; that of a container has it.
    for (const { running, endpoints } of containers.values()) {
      if (!running) continue;
      for (const { networkId, gateways: own } of endpoints) {
        if (found.some((network) => isCalled(network, networkId))) for (const gateway of own) all.add(gateway);
      }
    }
    return all;
  });

  function addressesAreLocal(): boolean {
    if (areLocal) return true;
    const nowMs = performance.now();
    if (inside.revision !== revision || nowMs > inside.untilMs) {
      const isSo = containers.values().some((each) => each.running && isOwn(each));
      inside = { revision, untilMs: nowMs + OWN_KNOWN_FOR_MS, isSo };
    }
    return inside.isSo;
  }

  function withdraw(id: string): void {
    const container = containers.get(id);
    for (const address of container ? addressesOf(container) : []) {
      const left = owners.get(address)?.filter((owner) => owner.id !== id) ?? [];
      if (left.length > 0) owners.set(address, left);
      else owners.delete(address);
    }
    revision += 1;
  }

  function addGateways(container: Container): void {
    for (const { gateways: own } of container.endpoints) for (const gateway of own) gateways.add(gateway);
  }

  return {
    containers,
    networks: () => networks,
    machine: () => machine,
    addressesAreLocal,
    revision: version.revision,
    ownersOf: (address) => (addressesAreLocal() ? (owners.get(address) ?? []) : []),
    isInSeveralNetworks: (address) => networks.filter((network) => isIn(network, address)).length > 1,
    isGateway: (address) => gateways.has(address) && addressesAreLocal(),
    isBridgeGateway: (address) => bridges().has(address) && addressesAreLocal(),
    isInSubnet: (address) => networks.some((network) => isIn(network, address)) && addressesAreLocal(),
    withdraw,
    put(container) {
      const { id, networkOwner } = container;
      withdraw(id);
      containers.set(id, container);
      if (networkOwner === undefined) sharing.delete(id);
      else sharing.set(id, container);
      shareNetworks();
      if (!container.running) return;
      for (const address of addressesOf(container)) owners.set(address, [...(owners.get(address) ?? []), container]);
      addGateways(container);
    },
    remove(id) {
      withdraw(id);
      containers.delete(id);
      sharing.delete(id);
      shareNetworks();
    },
    setMachine(next) {
      if (next?.cpus === machine?.cpus && next?.memoryBytes === machine?.memoryBytes) return;
      machine = next;
      revision += 1;
    },
    begin(next, nextAreLocal) {
      if (target === next) return;
      target = next;
      owners.clear();
      machine = undefined;
      areLocal = nextAreLocal;
      revision += 1;
    },
    setAddressesAreLocal(next) {
      if (areLocal !== next) revision += 1;
      areLocal = next;
    },
    setNetworks(next) {
      const before = JSON.stringify([networks, [...gateways].sort()]);
      networks = next;
      gateways = new Set(networks.flatMap((network) => network.gateways));
      for (const container of containers.values()) if (container.running) addGateways(container);
      // Podman's networks are read again and again.
      if (JSON.stringify([networks, [...gateways].sort()]) !== before) revision += 1;
    },
  };
}

/** Without those of a container that shares a network namespace: they belong to the container that owns it. */
function addressesOf({ networkOwner, endpoints }: Container): string[] {
  if (networkOwner !== undefined) return [];
  const all = endpoints.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]);
  return [...new Set(all.filter((address) => address !== undefined))];
}

function isIn({ subnets }: Network, address: string): boolean {
  return subnets.some((subnet) => contains(subnet, address));
}
