import { container, hexId, withComposeProject, withLabels } from "./containers.ts";
import { network, withNetwork } from "./networks.ts";

/** A bridge, and a macvlan whose subnet is the LAN and whose gateway is its router. */
const bridge = network({
  name: "shop_default",
  subnet: "172.31.7.0/24",
  gateway: "172.31.7.1",
  ipv6: { subnet: "fd00:7::/64", gateway: "fd00:7::1" },
});
const lan = { ...network({ name: "lan", subnet: "192.168.7.0/24", gateway: "192.168.7.1" }), Driver: "macvlan" };

export const WEB = { name: "shop-web-1", address: "172.31.7.2", ipv6: "fd00:7::2" };
export const DB = { name: "shop-db-1", address: "172.31.7.3" };
const CAMERA = { name: "camera", address: "192.168.7.9" };
export const GATEWAY = "172.31.7.1";
export const GATEWAY_IPV6 = "fd00:7::1";
export const ROUTER = "192.168.7.1";
export const LAN_NEIGHBOUR = "192.168.7.50";
export const OUTSIDER = "203.0.113.9";
export const OWN_ID = hexId("container endpoints");

/** A container of a name on the bridge. */
export function onBridge(name: string, ipv4: string, labels: Record<string, string> = {}, aliases: string[] = []) {
  const ipv6 = name === WEB.name ? WEB.ipv6 : undefined;
  const member = withComposeProject(container({ name }), "shop", name.split("-")[1] ?? name);
  return withNetwork(withLabels(member, labels), bridge, { ipv4, ...(ipv6 && { ipv6 }), aliases });
}

/** The documents of the machine, with labels on its service `web` where they are given. */
export function machine(webLabels: Record<string, string> = {}) {
  return {
    networks: [bridge, lan],
    containers: [
      onBridge(WEB.name, WEB.address, webLabels),
      onBridge(DB.name, DB.address),
      onBridge("endpoints", "172.31.7.9", {}, ["metadata.corp"]),
      withNetwork(container({ name: CAMERA.name }), lan, { ipv4: CAMERA.address }),
    ],
  };
}
