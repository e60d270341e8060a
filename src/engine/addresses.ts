import type { Container } from "./container.ts";

/** The running containers by the addresses that they have: more than one where networks overlap. */
export interface Addresses {
  readonly of: (address: string) => readonly Container[];
  readonly add: (container: Container) => void;
  readonly withdraw: (container: Container) => void;
  readonly clear: () => void;
}

/** Without those that share another's network namespace: their addresses are its owner's. */
export function createAddresses(): Addresses {
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
