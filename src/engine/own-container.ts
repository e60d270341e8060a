import { readFileSync } from "node:fs";
import type { Environment } from "../config/config.ts";

/** What of a container tells whether it is ours. */
interface Owned {
  readonly id: string;
  readonly attachments: readonly { readonly ipv4: string | undefined; readonly ipv6?: string | undefined }[];
}

/**
 * Tells which container we run in, if any. The id is only believed when the container has one of our own addresses:
 * a host may be named like a container.
 *
 * @param hasAddress whether an address is of an interface of ours
 */
export function ownContainerTest(
  env: Environment,
  hasAddress: (address: string) => boolean,
  readText: (path: string) => string = readOrEmpty,
): (container: Owned) => boolean {
  const prefixes: string[] = [];
  // Docker names a container's host after its id unless told otherwise.
  if (env.HOSTNAME && /^[0-9a-f]{12,64}$/.test(env.HOSTNAME)) prefixes.push(env.HOSTNAME);
  // The engine mounts files of its own folder for this container: resolv.conf, hostname, hosts.
  const mounts = readText("/proc/self/mountinfo").matchAll(
    /\/([0-9a-f]{64})\/(?:userdata\/)?(?:hostname|hosts|resolv\.conf) /g,
  );
  for (const [, id] of mounts) if (id) prefixes.push(id);
  const group = /([0-9a-f]{64})/.exec(readText("/proc/self/cgroup"))?.[1];
  if (group) prefixes.push(group);
  return (container) =>
    prefixes.some((prefix) => container.id.startsWith(prefix)) &&
    container.attachments.some(({ ipv4, ipv6 }) =>
      [ipv4, ipv6].some((address) => address !== undefined && hasAddress(address)),
    );
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not Linux, or no /proc: then there is no container to be in.
    return "";
  }
}
