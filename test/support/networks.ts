import { type ContainerDocument, type EndpointDocument, hexId } from "./containers.ts";

export interface NetworkDocument {
  Name: string;
  Id: string;
  Driver: string;
  EnableIPv6: boolean;
  Internal?: boolean;
  Options?: Record<string, string>;
  IPAM: { Driver: string; Config: { Subnet: string; Gateway: string }[] };
}

export interface NetworkOptions {
  name: string;
  id?: string;
  subnet: string;
  gateway: string;
  ipv6?: { subnet: string; gateway: string };
}

export function network({
  name,
  id = hexId(`network ${name}`),
  subnet,
  gateway,
  ipv6,
}: NetworkOptions): NetworkDocument {
  const config = [{ Subnet: subnet, Gateway: gateway }];
  if (ipv6) config.push({ Subnet: ipv6.subnet, Gateway: ipv6.gateway });
  return { Name: name, Id: id, Driver: "bridge", EnableIPv6: !!ipv6, IPAM: { Driver: "default", Config: config } };
}

/** The same container on one network more. The first one also becomes its network mode, as Compose has it. */
export function withNetwork(
  document: ContainerDocument,
  on: NetworkDocument,
  address: { ipv4?: string; ipv6?: string; aliases?: string[] },
): ContainerDocument {
  const of = (family: (text: string) => boolean) => on.IPAM.Config.find(({ Subnet }) => family(Subnet));
  const four = of((subnet) => !subnet.includes(":"));
  const six = of((subnet) => subnet.includes(":"));
  const endpoint: EndpointDocument = {
    NetworkID: on.Id,
    IPAddress: address.ipv4 ?? "",
    IPPrefixLen: address.ipv4 ? Number(four?.Subnet.split("/")[1] ?? 0) : 0,
    Gateway: address.ipv4 ? (four?.Gateway ?? "") : "",
    GlobalIPv6Address: address.ipv6 ?? "",
    GlobalIPv6PrefixLen: address.ipv6 ? Number(six?.Subnet.split("/")[1] ?? 0) : 0,
    IPv6Gateway: address.ipv6 ? (six?.Gateway ?? "") : "",
    MacAddress: `02:42:${hexId(`${document.Id} ${on.Id}`)
      .slice(0, 8)
      .replace(/..(?=.)/g, "$&:")}`,
    Aliases: address.aliases ?? null,
  };
  const first = Object.keys(document.NetworkSettings.Networks).length === 0;
  const mode = first && document.HostConfig.NetworkMode === "default" ? on.Name : document.HostConfig.NetworkMode;
  return {
    ...document,
    HostConfig: { ...document.HostConfig, NetworkMode: mode },
    NetworkSettings: {
      ...document.NetworkSettings,
      Networks: { ...document.NetworkSettings.Networks, [on.Name]: endpoint },
    },
  };
}
