import { networkInterfaces } from "node:os";

/**
 * A bridge of Podman takes the lowest hardware address of its ports, so it changes as containers come and go, and one
 * that has asked before goes on sending to the old one for half a minute (seen with any server). An address that is set
 * stays for as long as the bridge is there.
 *
 * @param gateway by which the bridge is found, where this machine has it
 */
export function holdBridge(gateway: string): void {
  const bytes = Bun.hash(gateway).toString(16).padStart(10, "0").match(/../g)?.slice(0, 5) ?? [];
  const mac = ["02", ...bytes].join(":");
  for (const [bridge, entries = []] of Object.entries(networkInterfaces())) {
    const found = entries.find(({ address }) => address === gateway);
    // To set it once more would disturb what is under way.
    if (found && found.mac !== mac) Bun.spawnSync(["ip", "link", "set", bridge, "address", mac]);
  }
}
