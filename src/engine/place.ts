import { lookup } from "node:dns/promises";
import { readFileSync, statSync } from "node:fs";
import type { EngineEndpoint } from "./discover.ts";
import { canonicalAddress } from "./ip-address.ts";
import { createOwnAddresses, isLoopback } from "./self.ts";

const RESOLVE_MS = 1_000;

/** Where an engine's networks are, as far as the way to it tells. */
export interface Place {
  /** Whether they are not this machine's: then anybody on its own networks may have the address of a container. */
  readonly isElsewhere: boolean;
  /** Whether that stands until the engine says that it is rootless. Else it is asked first. */
  readonly isSure: boolean;
}

/**
 * Tells where the networks of the engine behind an endpoint are. A socket of root's is that of an engine with root's
 * networks; a user's may be of a rootless one, which has its own. By TCP an engine is on the machine whose address it is.
 *
 * @param hasAddress whether an address is of an interface of ours
 */
export async function placeOf(
  endpoint: Pick<EngineEndpoint, "base" | "init">,
  hasAddress: (address: string) => boolean = createOwnAddresses(() => performance.now()).has,
  isRoots: (path: string) => boolean = isSocketOfRoot,
): Promise<Place> {
  const { unix } = endpoint.init;
  if (unix !== undefined)
    return isRoots(unix) ? { isElsewhere: false, isSure: true } : { isElsewhere: true, isSure: false };
  const addresses = await addressesOf(new URL(endpoint.base).hostname.replace(/^\[|\]$/g, ""));
  const isHere = addresses.length > 0 && addresses.every((address) => isLoopback(address) || hasAddress(address));
  // What listens on this machine may pass on to a rootless engine, and may refuse to say so.
  return isHere ? { isElsewhere: false, isSure: false } : { isElsewhere: true, isSure: true };
}

async function addressesOf(host: string): Promise<readonly string[]> {
  const found = lookup(host, { all: true }).then(
    (all) => all.map(({ address }) => canonicalAddress(address)),
    () => [],
  );
  return Promise.race([found, Bun.sleep(RESOLVE_MS).then(() => [])]);
}

/** In a user namespace, as in a container of a rootless engine, a user's files look like root's. */
export function isSocketOfRoot(
  path: string,
  ownerOf: (path: string) => number = (of) => statSync(of).uid,
  readMap: () => string = () => readFileSync("/proc/self/uid_map", "utf8"),
): boolean {
  try {
    return ownerOf(path) === 0 && /^\s*0\s+0\s+4294967295\s*$/.test(readMap());
  } catch {
    return false;
  }
}
