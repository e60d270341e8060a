import { networkInterfaces } from "node:os";
import type { Network, RealEngine } from "./real-engine.ts";

const BASE = "169.254.170";
const WAIT_MS = 60_000;

/**
 * The network that has the address of ECS. There can be one on a machine: where another run has it, this waits for it to
 * end.
 *
 * @param prefixLength 24 is that of the address's own network
 */
export async function createTaskNetwork(engine: RealEngine, prefixLength = 24): Promise<Network> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const isTaken = Object.values(networkInterfaces()).some((entries) =>
      entries?.some(({ address }) => address === `${BASE}.1`),
    );
    try {
      if (!isTaken) return await engine.createNetwork(BASE, prefixLength);
      if (performance.now() > deadline) throw new Error(`another network has had ${BASE}.0/24 for ${WAIT_MS / 1000} s`);
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await Bun.sleep(500);
  }
}
