import { expect } from "bun:test";
import { networkInterfaces } from "node:os";
import { ask } from "../ask.ts";
import type { RealEngine } from "../real-engine.ts";
import { letPass } from "../redirects.ts";
import type { Member } from "./plugin.ts";

export function services(members: readonly Member[]): string[] {
  return members.map(({ Labels }) => Labels["com.docker.compose.service"] ?? "").sort();
}

/**
 * Debian's Docker drops what no rule lets pass: Podman makes none for an internal network, and moby-29 none at all. Another
 * engine may have a bridge with the same address, so all of them are let pass.
 *
 * @returns what takes the rules away again
 */
export function letTaskNetworkPass(engine: RealEngine): () => void {
  if (engine.name === "debian-docker") return () => {};
  const bridges = Object.entries(networkInterfaces()).filter(([, entries]) =>
    entries?.some(({ address }) => address === "169.254.170.1"),
  );
  const stops = bridges.map(([bridge]) => letPass(bridge));
  return () => {
    for (const stop of stops) stop();
  };
}

/**
 * Each container asks, by the variables that it has, who it is, which task it belongs to and for its credentials.
 *
 * @param roles ARNs by service; the others have the server's own identity, which has none
 */
export async function expectItself(
  engine: RealEngine,
  asking: readonly Member[],
  roles: Readonly<Record<string, string>>,
  task = asking,
): Promise<void> {
  const ids = task.map(({ Id }) => Id).sort();
  for (const { Id, Labels } of asking) {
    const service = Labels["com.docker.compose.service"] ?? "";
    // The server is asked, and does not ask: it has no shell.
    if (service === "ecs-local-endpoints") continue;
    const env = Object.fromEntries(
      (await engine.exec(Id, "busybox env")).split("\n").map((line) => line.split(/=(.*)/s)),
    );
    // Its way out is what it was: ours is none.
    expect(await engine.exec(Id, "busybox ip route"), service).not.toContain("via 169.254");
    const get = async (uri: string) => {
      const { hostname, port, pathname } = new URL(uri, "http://169.254.170.2");
      const { status, body } = await ask(engine, Id, hostname, Number(port || 80), pathname);
      expect({ service, uri, status, body }).toMatchObject({ service, uri, status: 200 });
      return body as { DockerId: string; Containers: { DockerId: string }[]; RoleArn: string };
    };
    for (const base of [env.ECS_CONTAINER_METADATA_URI, env.ECS_CONTAINER_METADATA_URI_V4]) {
      expect((await get(base)).DockerId, service).toBe(Id);
      const { Containers } = await get(`${base}/task`);
      expect(Containers.map(({ DockerId }) => DockerId).sort(), service).toEqual(ids);
    }
    expect((await get(env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI)).RoleArn, service).toBe(roles[service] ?? "");
  }
}
