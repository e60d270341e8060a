import { AppError } from "../errors.ts";
import { type AddressOwnerDeps, createAddressOwners } from "./address-owner.ts";
import type { Container } from "./container.ts";
import { canonicalAddress } from "./ip-address.ts";
import { isLoopback } from "./self.ts";

const WAITING_MAX = 1_000;

interface Origin {
  /** In canonical form. */
  readonly address: string;
  /** For the log: a container's name and short id, else the address. */
  readonly name: string;
  /** Until when the request may wait, on the clock of `performance`; set once it has waited. */
  readonly deadlineMs?: number;
}

/** The sender of a request. A gateway hides it: callers through a published port share its address. */
export type Caller =
  | (Origin & { readonly kind: "container"; readonly container: Container })
  /** A program on this machine, or in our own container. */
  | (Origin & { readonly kind: "host" })
  | (Origin & { readonly kind: "gateway"; readonly isBridge: boolean; readonly isOwn: boolean })
  | (Origin & {
      readonly kind: "unknown";
      /**
       * No container has the address, several have it, the engine's networks are not on this machine, or too many callers
       * wait for the engine.
       */
      readonly reason: "none" | "several" | "elsewhere" | "crowded";
      /** If the engine did not answer. */
      readonly error?: AppError;
    });

export interface Callers {
  /** Never rejects; waits at most for `waitMs`. */
  readonly identify: (address: string) => Caller | Promise<Caller>;
  /** Without waiting: a container that is not certain is unknown. */
  readonly identifyNow: (address: string) => Caller;
}

/** Identifies callers by their address. */
export function createCallers(
  deps: AddressOwnerDeps & {
    /** Whether an address is of an interface of this machine. */
    readonly hasAddress: (address: string) => boolean;
  },
): Callers {
  const { store, now } = deps;
  const { ownerOf, ownerNow, wait } = createAddressOwners(deps);
  const known = new WeakMap<Container, Map<string, Caller>>();
  const waiting = new Map<string, Promise<Caller>>();

  /** The same container and address give the same object, as long as the store has that container. */
  function toCaller(container: Container, address: string): Caller {
    const callers = known.get(container) ?? new Map<string, Caller>();
    known.set(container, callers);
    const name = `${container.name}/${container.id.slice(0, 12)}`;
    const caller = callers.get(address) ?? { kind: "container", address, name, container };
    callers.set(address, caller);
    return caller;
  }

  /** The callers that no engine has to confirm. */
  function otherNow(address: string): Caller | undefined {
    if (ownerOf(address) !== undefined) return undefined;
    if (isLoopback(address) && !store.isInSubnet(address)) return { kind: "host", address, name: address };
    const isOwn = deps.hasAddress(address);
    if (store.isGateway(address)) {
      const isBridge = store.isBridgeGateway(address);
      // A container may be known before its network.
      if (isBridge || isOwn || store.isInSubnet(address)) {
        return { kind: "gateway", address, name: address, isBridge, isOwn };
      }
    }
    return isOwn ? { kind: "host", address, name: address } : undefined;
  }

  function unknown(address: string, error?: AppError): Caller {
    const reason = !store.addressesAreLocal() ? "elsewhere" : ownerOf(address) === "several" ? "several" : "none";
    return { kind: "unknown", address, name: address, reason, ...(error && { error }) };
  }

  function atOnce(address: string): Caller | undefined {
    const container = ownerNow(address);
    return container ? toCaller(container, address) : otherNow(address);
  }

  async function later(address: string): Promise<Caller> {
    const deadlineMs = now() + deps.waitMs;
    const found = await wait(address, deadlineMs, () => otherNow(address) !== undefined).then(
      (container) => (container ? toCaller(container, address) : (otherNow(address) ?? unknown(address))),
      (error: unknown) => {
        if (error instanceof AppError) return otherNow(address) ?? unknown(address, error);
        throw error;
      },
    );
    return { ...found, deadlineMs };
  }

  /** One wait for all requests from an address. */
  function shared(address: string): Caller | Promise<Caller> {
    const current = waiting.get(address);
    if (current !== undefined) return current;
    if (waiting.size >= WAITING_MAX) {
      const text = "Too many unknown callers wait for the engine";
      const error = new AppError("engine-unavailable", text, { hint: "retry" });
      return { kind: "unknown", address, name: address, reason: "crowded", error };
    }
    const promise = later(address).finally(() => waiting.delete(address));
    waiting.set(address, promise);
    return promise;
  }

  return {
    identify(peer) {
      const address = canonical(peer);
      return atOnce(address) ?? shared(address);
    },
    identifyNow(peer) {
      const address = canonical(peer);
      return atOnce(address) ?? unknown(address);
    },
  };
}

/** An IPv4 address has one form only. */
function canonical(address: string): string {
  return address.includes(":") ? canonicalAddress(address) : address;
}
