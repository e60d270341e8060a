import { expect, test } from "bun:test";
import { publishedBeyondLoopback } from "../../../src/commands/startup-log.ts";
import { toContainer } from "../../../src/engine/container.ts";
import { container } from "../../support/containers.ts";

type Ports = Record<string, { HostIp: string; HostPort: string }[] | null>;
const published = (ports: Ports) => publishedBeyondLoopback(toContainer(container({ name: "endpoints", ports })), 80);

const cases: [title: string, ports: Ports, where: string[]][] = [
  ["to all of IPv4", { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "51679" }] }, ["0.0.0.0:51679"]],
  ["to all of IPv6", { "80/tcp": [{ HostIp: "::", HostPort: "51679" }] }, ["[::]:51679"]],
  ["without an address", { "80/tcp": [{ HostIp: "", HostPort: "51679" }] }, ["0.0.0.0:51679"]],
  ["to one address of the LAN", { "80/tcp": [{ HostIp: "192.168.1.5", HostPort: "80" }] }, ["192.168.1.5:80"]],
  ["on loopback", { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "51679" }] }, []],
  ["on loopback of IPv6", { "80/tcp": [{ HostIp: "::1", HostPort: "51679" }] }, []],
  ["for another port", { "81/tcp": [{ HostIp: "", HostPort: "51679" }] }, []],
  ["for UDP", { "80/udp": [{ HostIp: "", HostPort: "51679" }] }, []],
  ["not at all", { "80/tcp": null }, []],
];
for (const [title, ports, where] of cases) {
  test(`a port that is published ${title} is at ${where.join() || "no address beyond this machine"}`, () => {
    expect(published(ports)).toEqual(where);
  });
}
