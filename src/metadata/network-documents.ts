import type { Attachment } from "../engine/attachment.ts";
import type { Container } from "../engine/container.ts";
import { contains } from "../engine/ip-address.ts";
import { isCalled, type Network } from "../engine/picture.ts";
import type { JsonObject } from "../json-file.ts";
import type { NetworkMode } from "../task-config.ts";
import type { DocumentVersion } from "./container-document.ts";

/** Where Docker's own name server answers in a network that a user made. */
const EMBEDDED_DNS = "127.0.0.11";
const WITHOUT_DNS: readonly string[] = ["bridge", "host", "none"];

/**
 * The networks of a container, as its document has them (task-endpoints 2.4). Their mode is the network's name unless
 * one is configured; with `awsvpc` V4 has what the agent says of a network interface.
 */
export function networkDocuments(
  facts: Container,
  mode: NetworkMode | undefined,
  version: DocumentVersion,
  networks: readonly Network[],
): JsonObject[] {
  return facts.attachments.map((attachment, index) => ({
    NetworkMode: mode ?? attachment.name,
    IPv4Addresses: attachment.ipv4 === undefined ? undefined : [attachment.ipv4],
    IPv6Addresses: attachment.ipv6 === undefined ? undefined : [attachment.ipv6],
    ...(mode === "awsvpc" && version === "v4" ? interfaceProperties(facts, attachment, index, networks) : {}),
  }));
}

function interfaceProperties(
  facts: Container,
  attachment: Attachment,
  index: number,
  networks: readonly Network[],
): JsonObject {
  const subnets = networks.find((network) => isCalled(network, attachment.networkId))?.subnets ?? [];
  const { ipv4, ipv6 } = attachment;
  const servers = facts.dns.length > 0 ? facts.dns : hasEmbeddedDns(attachment) ? [EMBEDDED_DNS] : [];
  return {
    AttachmentIndex: index,
    MACAddress: attachment.macAddress,
    IPv4SubnetCIDRBlock: ipv4 && subnets.find((subnet) => contains(subnet, ipv4)),
    IPv6SubnetCIDRBlock: ipv6 && subnets.find((subnet) => contains(subnet, ipv6)),
    DomainNameServers: servers.length > 0 ? servers : undefined,
    DomainNameSearchList: facts.dnsSearch.length > 0 ? facts.dnsSearch : undefined,
    SubnetGatewayIpv4Address: attachment.ipv4Gateway,
    SubnetGatewayIpv6Address: attachment.ipv6Gateway,
  };
}

/** Podman, which calls a network by its name, has its name server at an address that it does not tell. */
function hasEmbeddedDns({ name, networkId }: Attachment): boolean {
  return !WITHOUT_DNS.includes(name) && networkId !== name;
}
