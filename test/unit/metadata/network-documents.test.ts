import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import { networkDocuments } from "../../../src/metadata/container-document.ts";
import { type ContainerDocument, container } from "../../support/containers.ts";
import { network, withNetwork } from "../../support/networks.ts";

const shop = network({
  name: "shop",
  subnet: "10.0.2.0/24",
  gateway: "10.0.2.1",
  ipv6: { subnet: "fd00:2::/64", gateway: "fd00:2::1" },
});
const web = withNetwork(container({ name: "web" }), shop, { ipv4: "10.0.2.7", ipv6: "fd00:2::7" });
const subnets = shop.IPAM.Config.map(({ Subnet }) => Subnet);

/** The document of a container's one network. */
function documentOf(inspect: ContainerDocument, mode?: "awsvpc", listed = { id: shop.Id, name: "shop" }) {
  const networks = [{ ...listed, subnets, gateways: [] }];
  const [document, ...more] = networkDocuments(toContainer(inspect), mode, "v4", networks);
  expect(more).toBeEmpty();
  return JSON.parse(JSON.stringify(document));
}

/** The same container as Podman describes it: its network's name is all that it says of it. */
function ofPodman(name: string): ContainerDocument {
  const endpoint = { ...web.NetworkSettings.Networks.shop, NetworkID: name } as never;
  return { ...web, NetworkSettings: { ...web.NetworkSettings, Networks: { [name]: endpoint } } };
}

test("a network has both its addresses", () => {
  expect(documentOf(web)).toEqual({
    NetworkMode: "shop",
    IPv4Addresses: ["10.0.2.7"],
    IPv6Addresses: ["fd00:2::7"],
  });
});

describe("with awsvpc a network has", () => {
  test("its subnets, its gateways with the length of the prefix, and Docker's name server", () => {
    expect(documentOf(web, "awsvpc")).toMatchObject({
      NetworkMode: "awsvpc",
      AttachmentIndex: 0,
      IPv4SubnetCIDRBlock: "10.0.2.0/24",
      IPv6SubnetCIDRBlock: "fd00:2::/64",
      DomainNameServers: ["127.0.0.11"],
      SubnetGatewayIpv4Address: "10.0.2.1/24",
      SubnetGatewayIpv6Address: "fd00:2::1/64",
    });
  });
  test("its subnets where a container of Podman calls it by its name, and no name server", () => {
    const document = documentOf(ofPodman("shop"), "awsvpc");
    expect(document).toMatchObject({ IPv4SubnetCIDRBlock: "10.0.2.0/24", IPv6SubnetCIDRBlock: "fd00:2::/64" });
    expect(document).not.toHaveProperty("DomainNameServers");
  });
  test("its subnets where it is Podman's default, which its list of networks calls bridge", () => {
    const document = documentOf(ofPodman("podman"), "awsvpc", { id: "2f259bab", name: "bridge" });
    expect(document).toMatchObject({ IPv4SubnetCIDRBlock: "10.0.2.0/24" });
    expect(document).not.toHaveProperty("DomainNameServers");
  });
  test("the name servers and domains that were asked for", () => {
    const asked = { ...web, HostConfig: { ...web.HostConfig, Dns: ["10.0.0.2"], DnsSearch: ["shop.test"] } };
    expect(documentOf(asked, "awsvpc")).toMatchObject({
      DomainNameServers: ["10.0.0.2"],
      DomainNameSearchList: ["shop.test"],
    });
  });
  for (const mode of ["bridge", "host", "none"]) {
    test(`no name server in ${mode}, where the host's serve`, () => {
      const on = network({ name: mode, subnet: "10.0.2.0/24", gateway: "10.0.2.1" });
      const document = documentOf(withNetwork(container({ name: "web" }), on, {}), "awsvpc");
      expect(document).toMatchObject({ NetworkMode: "awsvpc", AttachmentIndex: 0 });
      expect(document).not.toHaveProperty("DomainNameServers");
    });
  }
});
