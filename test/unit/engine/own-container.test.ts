import { describe, expect, test } from "bun:test";
import { toContainer } from "../../../src/engine/container.ts";
import { ownContainerTest } from "../../../src/engine/self.ts";
import { container, hexId } from "../../support/containers.ts";
import { network, withNetwork } from "../../support/networks.ts";

const ID = hexId("own");
const OTHER = hexId("other");
const ipv6 = { subnet: "fd00::/64", gateway: "fd00::1" };
const net = network({ name: "n", subnet: "10.0.0.0/24", gateway: "10.0.0.1", ipv6 });
const at = (id: string, address: { ipv4?: string; ipv6?: string }) =>
  toContainer(withNetwork(container({ name: id.slice(0, 8), id }), net, address));
const own = at(ID, { ipv4: "10.0.0.2", ipv6: "fd00::2" });

const HAS_IPV4 = (address: string) => address === "10.0.0.2";
const file = (path: string, text: string) => (asked: string) => (asked === path ? text : "");
const mount = (path: string) => `612 598 254:1 ${path} /etc/hostname rw,relatime - ext4 /dev/vda1 rw`;
const mountinfo = (path: string) => file("/proc/self/mountinfo", `${mount("/other")}\n${mount(path)}\n`);
const cgroup = (line: string) => file("/proc/self/cgroup", line);
const nothing = () => "";

describe("our own container is told", () => {
  for (const [title, env, readText] of [
    ["by the host's name of 12 digits", { HOSTNAME: ID.slice(0, 12) }, nothing],
    ["by the host's name of 64 digits", { HOSTNAME: ID }, nothing],
    ["by Docker's mounted hostname", {}, mountinfo(`/var/lib/docker/containers/${ID}/hostname`)],
    ["by Docker's mounted hosts", {}, mountinfo(`/docker/containers/${ID}/hosts`)],
    ["by Docker's mounted resolv.conf", {}, mountinfo(`/containers/${ID}/resolv.conf`)],
    ["by Podman's mounted hostname", {}, mountinfo(`/overlay-containers/${ID}/userdata/hostname`)],
    ["by its cgroup of version 1", {}, cgroup(`12:cpu:/docker/${ID}\n`)],
    ["by its cgroup of systemd", {}, cgroup(`0::/system.slice/docker-${ID}.scope\n`)],
    ["by a mount where its host has another name", { HOSTNAME: "web" }, mountinfo(`/c/${ID}/hostname`)],
    ["by a mount where its host is named like another", { HOSTNAME: OTHER.slice(0, 12) }, mountinfo(`/c/${ID}/hosts`)],
  ] as const) {
    test(title, () => {
      const isOwn = ownContainerTest(env, HAS_IPV4, readText);
      expect(isOwn(own)).toBe(true);
      expect(isOwn(at(hexId("third"), { ipv4: "10.0.0.2" }))).toBe(false);
    });
  }

  test("by its IPv6 address", () => {
    expect(ownContainerTest({ HOSTNAME: ID }, (address) => address === "fd00::2", nothing)(own)).toBe(true);
  });
});

describe("our own container is not believed", () => {
  for (const [title, env, readText] of [
    ["by a host's name of 11 digits", { HOSTNAME: ID.slice(0, 11) }, nothing],
    ["by a host's name of 65 digits", { HOSTNAME: `${ID}0` }, nothing],
    ["by a host's name that only begins like it", { HOSTNAME: `${ID.slice(0, 12)}.lan` }, nothing],
    ["by a host's name in the middle of its id", { HOSTNAME: ID.slice(1, 20) }, nothing],
    ["by an empty host's name", { HOSTNAME: "" }, nothing],
    ["by a mount of another file", {}, mountinfo(`/containers/${ID}/data`)],
    ["by a mount of a shorter id", {}, mountinfo(`/containers/${ID.slice(1)}/hostname`)],
    ["by nothing", {}, nothing],
  ] as const) {
    test(title, () => expect(ownContainerTest(env, HAS_IPV4, readText)(own)).toBe(false));
  }

  test("without an address of ours: a host may be named like a container", () => {
    const isOwn = ownContainerTest({ HOSTNAME: ID }, HAS_IPV4, mountinfo(`/containers/${ID}/hostname`));
    expect(isOwn(at(ID, { ipv4: "10.0.0.3", ipv6: "fd00::2" }))).toBe(false);
    expect(isOwn(at(ID, {}))).toBe(false);
    expect(isOwn(toContainer(container({ name: "web", id: ID })))).toBe(false);
  });
});
