import { lookup } from "node:dns/promises";
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DockerConfig, Environment } from "../config/config.ts";
import { AppError } from "../errors.ts";
import { withoutUserinfo } from "../text.ts";
import { canonicalAddress } from "./ip-address.ts";
import { createOwnAddresses, isLoopback } from "./self.ts";

/** The address of an engine, in the terms of Bun's fetch. */
export interface EngineEndpoint {
  /** As the user would write it: `unix:///var/run/docker.sock`, `tcp://127.0.0.1:2375`. */
  readonly target: string;
  readonly base: string;
  readonly init: BunFetchRequestInit;
}

/** The strategies in order: what was configured, the docker command's context, then the usual sockets. */
function candidates(docker: DockerConfig, env: Environment, uid = process.getuid?.() ?? 0): EngineEndpoint[] {
  if (docker.host !== undefined) return [parseHost(docker.host, docker, "DOCKER_HOST")];
  const context = contextEndpoint(docker, env);
  if (context !== undefined) return [context];
  const home = env.HOME;
  const runtime = env.XDG_RUNTIME_DIR ?? `/run/user/${uid}`;
  const sockets = [
    "/var/run/docker.sock",
    "/run/docker.sock",
    home && join(home, ".docker/run/docker.sock"),
    home && join(home, ".docker/desktop/docker.sock"),
    join(runtime, "docker.sock"),
    "/run/podman/podman.sock",
    join(runtime, "podman/podman.sock"),
    home && join(home, ".colima/default/docker.sock"),
    home && join(home, ".orbstack/run/docker.sock"),
  ].filter((path): path is string => typeof path === "string");
  return sockets.map((path) => unixEndpoint(path));
}

/**
 * The first candidate that we may ask, or where we may ask none the first that is there: its own error is the useful one,
 * as is that of a configured one. Beside an engine of root's, a user has a rootless one.
 *
 * @throws AppError `engine-unavailable` with the list of what was tried
 */
export function discover(
  docker: DockerConfig,
  env: Environment,
  exists: (path: string) => boolean = existsSync,
  mayAsk: (path: string) => boolean = mayWrite,
): EngineEndpoint {
  const found = candidates(docker, env);
  if (found.length === 1 && found[0]) return found[0];
  const pathOf = ({ target }: EngineEndpoint) => target.slice("unix://".length);
  const there = found.filter((endpoint) => exists(pathOf(endpoint)));
  const chosen = there.find((endpoint) => mayAsk(pathOf(endpoint))) ?? there[0];
  if (chosen) return chosen;
  throw new AppError(
    "engine-unavailable",
    `No container engine was found; tried ${found.map((endpoint) => endpoint.target).join(", ")}`,
    { hint: "start the engine, mount its socket at /var/run/docker.sock, or set DOCKER_HOST" },
  );
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function unixEndpoint(path: string): EngineEndpoint {
  return { target: `unix://${path}`, base: "http://docker", init: { unix: path } };
}

/**
 * An engine's address in the forms that the docker command takes, but ssh, npipe and fd.
 *
 * @param source the variable or file, for the error
 *
 * @throws AppError `bad-configuration` for any other
 */
export function parseHost(
  host: string,
  docker: Pick<DockerConfig, "certPath" | "tlsVerify">,
  source: string,
): EngineEndpoint {
  const path = host.replace(/^unix:\/\//, "");
  if (path.startsWith("/")) return unixEndpoint(path);
  const url = URL.parse(host.replace(/^tcp:/, "http:"));
  if (url === null || !/^https?:$/.test(url.protocol) || !/^(tcp|https?):\/\//.test(host)) {
    throw new AppError(
      "bad-configuration",
      `${source} is '${withoutUserinfo(host)}', which is neither unix:///path nor tcp://host:port`,
      { hint: "set DOCKER_HOST to one of those" },
    );
  }
  const secure = docker.tlsVerify || docker.certPath !== undefined || url.protocol === "https:";
  // A URL forgets the port that is its scheme's own.
  const port = /^[a-z]+:\/\/[^/?#]*?:(\d+)(?=[/?#]|$)/.exec(host)?.[1] ?? (secure ? "2376" : "2375");
  const address = `${url.hostname}:${port}`;
  const tls = docker.certPath === undefined ? {} : { tls: readCertificates(docker.certPath) };
  return {
    target: `tcp://${address}`,
    base: `${secure ? "https" : "http"}://${address}`,
    // A proxy for the internet is never the way to an engine. Bun 1.4.5 goes past HTTP_PROXY for `false`, and not for "".
    init: { proxy: false, ...tls } as unknown as BunFetchRequestInit,
  };
}

function readCertificates(directory: string): { ca: string; cert: string; key: string } {
  try {
    const read = (name: string) => readFileSync(join(directory, name), "utf8");
    return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
  } catch (cause) {
    throw new AppError(
      "bad-configuration",
      `DOCKER_CERT_PATH is '${directory}', where ca.pem, cert.pem and key.pem cannot be read`,
      { hint: "put them there, or unset DOCKER_CERT_PATH", cause },
    );
  }
}

/**
 * The engine of the docker command's current context, which Docker Desktop, Colima and rootless installs set. Undefined if
 * DOCKER_HOST is set, or the context is the default one.
 *
 * @throws AppError `bad-configuration` if the context cannot be resolved: the usual sockets may be of another engine
 */
export function contextEndpoint(docker: DockerConfig, env: Environment): EngineEndpoint | undefined {
  const directory = env.DOCKER_CONFIG ?? (env.HOME && join(env.HOME, ".docker"));
  if (docker.host !== undefined || !directory) return undefined;
  // Like the docker command, without a readable config.json the context is the default one.
  const name = env.DOCKER_CONTEXT || readField(join(directory, "config.json"), ["currentContext"]);
  if (!name || name === "default") return undefined;
  // The docker command names a context's folder by the hash of its name.
  const folder = new Bun.CryptoHasher("sha256").update(name).digest("hex");
  const path = join(directory, "contexts/meta", folder, "meta.json");
  const host = readField(path, ["Endpoints", "docker", "Host"]);
  if (host !== undefined) return parseHost(host, docker, "The endpoint of the current Docker context");
  throw new AppError("bad-configuration", `The Docker context '${name}' has no endpoint in ${path}`, {
    hint: "see docker context ls, and set DOCKER_CONTEXT or DOCKER_HOST",
  });
}

function readField(path: string, keys: readonly string[]): string | undefined {
  try {
    let value: unknown = JSON.parse(readFileSync(path, "utf8"));
    for (const key of keys) value = (value as Record<string, unknown> | undefined)?.[key];
    return typeof value === "string" && value !== "" ? value : undefined;
  } catch {
    return undefined;
  }
}

const RESOLVE_MS = 1_000;

/** Where an engine's networks are. */
export interface Place {
  readonly addressesAreLocal: boolean;
  /** Otherwise the engine is asked whether it is rootless. */
  readonly isCertain: boolean;
}

/**
 * An engine behind root's socket has root's networks; a user's socket may be of a rootless engine, which has its own. A TCP
 * engine is on the machine of its address, and may be a proxy for a rootless one.
 *
 * @param hasAddress whether an address is of an interface of this machine
 */
export async function placeOf(
  endpoint: Pick<EngineEndpoint, "base" | "init">,
  hasAddress: (address: string) => boolean = createOwnAddresses(() => performance.now()).has,
  ownerOf: (path: string) => number | undefined = (path) => statSync(path, { throwIfNoEntry: false })?.uid,
): Promise<Place> {
  const { unix } = endpoint.init;
  if (unix !== undefined) {
    const isRoots = ownerOf(unix) === 0;
    return { addressesAreLocal: isRoots, isCertain: isRoots };
  }
  const host = new URL(endpoint.base).hostname.replace(/^\[|\]$/g, "");
  const found = lookup(host, { all: true }).then(
    (all) => all.map(({ address }) => canonicalAddress(address)),
    () => [],
  );
  const addresses = await Promise.race([found, Bun.sleep(RESOLVE_MS).then(() => [])]);
  const isHere = addresses.length > 0 && addresses.every((address) => isLoopback(address) || hasAddress(address));
  return { addressesAreLocal: isHere, isCertain: !isHere };
}
