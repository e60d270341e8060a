import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ask } from "../support/ask.ts";
import { startBinary } from "../support/binary.ts";
import { describeEngines } from "../support/engines.ts";
import type { Network } from "../support/real-engine.ts";

interface Document {
  readonly DockerId: string;
  readonly Networks?: readonly Record<string, unknown>[];
}

/** The first groups of a random /64, as RFC 4193 has them. */
const freeGroups = () => `fd05:205:${Math.floor(Math.random() * 0xffff).toString(16)}`;

describeEngines("networks", ({ engine, freeSubnet }) => {
  let server: Awaited<ReturnType<typeof startBinary>>;
  const start = (env: Record<string, string> = {}) =>
    startBinary({ DOCKER_HOST: engine.host, ECS_LOCAL_BIND_ADDRESS: "::", ECS_LOCAL_OFFLINE: "1", ...env });
  const read = async (path: string, from = server) => (await (await from.get(path)).json()) as Document;

  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.stop());

  describe("of IPv6", () => {
    const addressesOf = (id: string) => engine.exec(id, "ip -o addr show dev eth0 scope global");

    test("a container of both is found by either address, and has both in its document", async () => {
      const base = freeSubnet();
      const network = await engine.createIpv6Network(freeGroups(), base);
      const id = await engine.run({ name: "eq-dual", network });
      const inside = await addressesOf(id);
      for (const version of ["v3", "v4"]) {
        for (const host of [network.gateway, `${base}.1`]) {
          const { status, body } = await ask(engine, id, host, server.port, `/${version}`);
          expect({ host, status, body }).toMatchObject({ status: 200, body: { DockerId: id } });
          const [{ IPv4Addresses, IPv6Addresses }] = (body as { Networks: [Record<string, [string]>] }).Networks;
          expect(inside).toContain(` ${IPv4Addresses?.[0]}/24 `);
          expect(inside).toContain(` ${IPv6Addresses?.[0]}/64 `);
        }
      }
    }, 60_000);

    const canBeAlone = ["moby-29", "podman"].includes(engine.name);
    const skipped = canBeAlone ? "" : " (skipped: Docker 20.10 has no network without IPv4)";
    test.if(canBeAlone)(
      `a container of IPv6 alone is found, and has no other address${skipped}`,
      async () => {
        const network = await engine.createIpv6Network(freeGroups());
        const id = await engine.run({ name: "eq-six", network });
        expect(await addressesOf(id)).not.toContain("inet ");
        const { status, body } = await ask(engine, id, network.gateway, server.port, "/v4");
        expect({ status, body }).toMatchObject({ status: 200, body: { DockerId: id } });
        const { Networks = [] } = body as Document;
        expect(Networks).toEqual([
          { NetworkMode: network.name, IPv6Addresses: [expect.stringContaining("fd05:205:")] },
        ]);
        expect((await ask(engine, id, network.gateway, server.port, "/v4/task")).status).toBe(200);
      },
      60_000,
    );
  });

  describe("by mode", () => {
    let network: Network;
    const ids: Record<string, string> = {};

    beforeAll(async () => {
      network = await engine.createNetwork(freeSubnet());
      ids.owner = await engine.run({ name: "eq-owner", network });
      for (const [name, NetworkMode] of [
        ["sidecar", "container:eq-owner"],
        ["host", "host"],
        ["none", "none"],
      ] as const) {
        ids[name] = await engine.create(`eq-${name}`, { HostConfig: { NetworkMode } });
        await engine.start(ids[name]);
      }
      // Podman tells of a start up to a quarter of a second later.
      await Bun.sleep(1_000);
    }, 60_000);

    // Podman removes no container whose network another one shares.
    afterAll(() => engine.remove(ids.sidecar ?? ""));

    test("what shares another's network is its owner by address, and itself by name with the owner's networks", async () => {
      const asked = await ask(engine, ids.sidecar ?? "", network.gateway, server.port, "/v4");
      expect(asked).toMatchObject({ status: 200, body: { DockerId: ids.owner } });
      for (const path of ["/v3/containers", "/v4/containers"]) {
        const [sidecar, owner] = await Promise.all(["sidecar", "owner"].map((name) => read(`${path}/eq-${name}`)));
        expect(sidecar?.DockerId).toBe(ids.sidecar ?? "");
        expect(sidecar?.Networks).toEqual(owner?.Networks as []);
        expect(owner?.Networks).toMatchObject([{ NetworkMode: network.name }]);
      }
    }, 30_000);

    test("what has the host's is told that this machine is not a container, and is found by name", async () => {
      const { status, body } = await ask(engine, ids.host ?? "", "127.0.0.1", server.port, "/v4");
      expect(status).toBe(404);
      expect(body).toContain("The request came from this machine (127.0.0.1), which is not a container");
      expect(body).toContain("name one in the path, as in /v4/containers/");
      for (const path of ["/v3/containers/eq-host", "/v4/eq-host"]) {
        expect(await read(path)).toMatchObject({ DockerId: ids.host, Networks: [{ NetworkMode: "host" }] });
      }
      expect((await read("/v4/eq-host")).Networks).toEqual([{ NetworkMode: "host" }]);
    }, 30_000);

    test("what has none is found by name", async () => {
      for (const path of ["/v3/containers/eq-none", "/v4/eq-none"]) {
        expect(await read(path)).toMatchObject({ DockerId: ids.none });
      }
      expect((await read("/v4/eq-none")).Networks).toEqual([{ NetworkMode: "none" }]);
    });
  });

  test("with awsvpc the properties of V4 are those inside of the container", async () => {
    const awsvpc = await start({ ECS_LOCAL_NETWORK_MODE: "awsvpc" });
    const base = freeSubnet();
    const network = await engine.createIpv6Network(freeGroups(), base);
    try {
      const id = await engine.run({ name: "eq-vpc", network });
      const asked = await engine.create("eq-dns", {
        HostConfig: { NetworkMode: network.name, Dns: ["10.205.0.53"], DnsSearch: ["eq.test"] },
      });
      await engine.start(asked);
      const [properties = {}] =
        ((await ask(engine, id, `${base}.1`, awsvpc.port, "/v4")).body as Document).Networks ?? [];
      const resolv = await engine.exec(id, "cat /etc/resolv.conf");
      const address = /^inet (\S+)/m.exec(
        await engine.exec(id, "ip -o -4 addr show dev eth0 | busybox sed 's/.*inet/inet/'"),
      );
      expect(properties).toEqual({
        NetworkMode: "awsvpc",
        IPv4Addresses: [address?.[1]?.split("/")[0]],
        IPv6Addresses: [expect.stringContaining("fd05:205:")],
        AttachmentIndex: 0,
        MACAddress: (await engine.exec(id, "cat /sys/class/net/eth0/address")).trim(),
        IPv4SubnetCIDRBlock: `${base}.0/24`,
        IPv6SubnetCIDRBlock: network.gateway.replace(/1$/, "/64"),
        SubnetGatewayIpv4Address: `${base}.1/24`,
        SubnetGatewayIpv6Address: `${network.gateway}/64`,
        ...(engine.name === "podman" ? {} : { DomainNameServers: nameServers(resolv) }),
      });
      const routes = await engine.exec(id, "ip route; ip -6 route");
      for (const gateway of [`${base}.1`, network.gateway]) expect(routes).toContain(`default via ${gateway} `);
      // Podman's answers at the gateway's address, and its documents of Docker's form do not say so.
      if (engine.name === "podman") expect(nameServers(resolv)).toContain(`${base}.1`);
      const [own] = (await read("/v4/containers/eq-dns", awsvpc)).Networks ?? [];
      expect(own).toMatchObject({ DomainNameServers: ["10.205.0.53"], DomainNameSearchList: ["eq.test"] });
      expect(await engine.exec(asked, "cat /etc/resolv.conf")).toContain("eq.test");
    } finally {
      expect(await awsvpc.stop()).toBe(0);
    }
  }, 60_000);
});

function nameServers(resolv: string): (string | undefined)[] {
  return [...resolv.matchAll(/^nameserver (\S+)/gm)].map(([, server]) => server);
}
