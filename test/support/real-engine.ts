import { existsSync } from "node:fs";
import { holdBridge } from "./podman-bridge.ts";

/** What the test made carries this label with the process that made it, so that a later run can remove what a crash left. */
const LABEL = "ecs-local-endpoints-test";
const RUN = `${process.pid}-${Date.now()}`;
/** Podman cannot set its own defaults in a sandbox; Docker takes these as well. */
const ULIMITS = ["nofile", "nproc"].map((Name) => ({ Name, Soft: 1024, Hard: 1024 }));

export interface Network {
  readonly name: string;
  readonly gateway: string;
}

/** A request to make something, in the engine's own words. */
export type Document = Readonly<Record<string, unknown>> & { readonly Labels?: Readonly<Record<string, string>> };

export interface ContainerOptions {
  readonly name: string;
  readonly network: Network;
  readonly command?: readonly string[];
  readonly image?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly address?: string;
  readonly env?: readonly string[];
  readonly binds?: readonly string[];
  /** Names that the network's DNS has for it beside its own. */
  readonly aliases?: readonly string[];
  /** Lines of its file of hosts, as `name:address`. */
  readonly extraHosts?: readonly string[];
  /** `uid:gid`; root unless given. */
  readonly user?: string;
  /** More of what the engine calls HostConfig: `ReadonlyRootfs`, `GroupAdd`, `Dns`. */
  readonly host?: Readonly<Record<string, unknown>>;
  /** Ports that the engine publishes, as `80/tcp`, and where. */
  readonly publish?: Readonly<Record<string, { readonly HostIp: string; readonly HostPort: string }>>;
}

export type RealEngine = ReturnType<typeof createRealEngine>;

/** A real engine, asked over its API: Docker and Podman take the same words. */
export function createRealEngine(name: string, socket: string) {
  let serial = 0;
  let image: string | undefined;

  async function call(method: string, path: string, body?: unknown): Promise<Response> {
    const isTar = body instanceof Blob;
    const response = await fetch(`http://engine${path}`, {
      unix: socket,
      method,
      headers: { "Content-Type": isTar ? "application/x-tar" : "application/json" },
      body: isTar ? body : body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
    if (!response.ok) throw new Error(`${name}: ${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  async function read<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await (await call(method, path, body)).json()) as T;
  }

  /** @param base the first three numbers of the subnet; the gateway is its .1 */
  async function createNetwork(base: string, prefixLength = 24): Promise<Network> {
    serial += 1;
    const network = { name: `ecs-local-${RUN}-${serial}`, gateway: `${base}.1` };
    await define({
      Name: network.name,
      Driver: "bridge",
      IPAM: { Driver: "default", Config: [{ Subnet: `${base}.0/${prefixLength}`, Gateway: network.gateway }] },
    });
    return network;
  }

  /**
   * A network of IPv6, and of IPv4 as well where `base` is given. Docker 20.10 makes none without IPv4.
   *
   * @param groups the first groups of its subnet, as `fd00:1`; the gateway is its ::1
   */
  async function createIpv6Network(groups: string, base?: string): Promise<Network> {
    serial += 1;
    const network = { name: `ecs-local-${RUN}-${serial}`, gateway: `${groups}::1` };
    const [six, four] = [{ subnet: `${groups}::/64`, gateway: network.gateway }, base];
    if (four === undefined && name === "podman") {
      // Its API of Docker's adds IPv4, and so does its own where IPv6 is asked for by name.
      const document = { name: network.name, driver: "bridge", subnets: [six] };
      await call("POST", "/v4.0.0/libpod/networks/create", { ...document, labels: { [LABEL]: RUN } });
      return network;
    }
    const Config = [{ Subnet: six.subnet, Gateway: six.gateway }];
    if (four !== undefined) Config.push({ Subnet: `${four}.0/24`, Gateway: `${four}.1` });
    await define({ Name: network.name, EnableIPv4: four !== undefined, EnableIPv6: true, IPAM: { Config } });
    return network;
  }

  /** Makes a network of any kind. */
  async function define(document: Document): Promise<void> {
    const labelled = { ...document, Labels: { ...document.Labels, [LABEL]: RUN } };
    for (let tries = 0; ; tries += 1) {
      try {
        await call("POST", "/networks/create", labelled);
        return;
      } catch (error) {
        // Podman lists the machine's interfaces, of which another test may remove one meanwhile.
        if (tries === 5 || !`${error}`.includes("no such network interface")) throw error;
      }
    }
  }

  /** Makes a container of any kind, of the lab's image unless it names one, and does not start it. */
  async function create(name: string, document: Document): Promise<string> {
    const { Id } = await read<{ Id: string }>("POST", `/containers/create?name=${name}`, {
      Cmd: ["sh", "-c", "sleep 600"],
      ...document,
      Image: document.Image ?? (await labImage()),
      Labels: { ...document.Labels, [LABEL]: RUN },
      HostConfig: { Ulimits: ULIMITS, ...(document.HostConfig as object) },
    });
    return Id;
  }

  async function start(id: string): Promise<void> {
    await call("POST", `/containers/${id}/start`);
  }

  async function run(options: ContainerOptions): Promise<string> {
    const { network, address, aliases, publish = {} } = options;
    const ports = Object.entries(publish);
    const id = await create(options.name, {
      Image: options.image,
      Cmd: options.command ?? ["sh", "-c", "sleep 600"],
      Labels: options.labels,
      Env: options.env,
      User: options.user,
      ExposedPorts: Object.fromEntries(ports.map(([port]) => [port, {}])),
      HostConfig: {
        NetworkMode: network.name,
        Binds: options.binds,
        ExtraHosts: options.extraHosts,
        ...options.host,
        PortBindings: Object.fromEntries(ports.map(([port, binding]) => [port, [binding]])),
      },
      NetworkingConfig: {
        EndpointsConfig: {
          [network.name]: { Aliases: aliases, ...(address && { IPAMConfig: { IPv4Address: address } }) },
        },
      },
    });
    await start(id);
    if (name === "podman") holdBridge(network.gateway);
    return id;
  }

  async function connect(network: Network, id: string): Promise<void> {
    await call("POST", `/networks/${network.name}/connect`, { Container: id });
    if (name === "podman") holdBridge(network.gateway);
  }

  /** What a shell inside the container prints. */
  async function exec(id: string, script: string): Promise<string> {
    const what = { AttachStdout: true, Cmd: ["sh", "-c", script] };
    const { Id } = await read<{ Id: string }>("POST", `/containers/${id}/exec`, what);
    return demultiplex(await call("POST", `/exec/${Id}/start`, { Detach: false, Tty: false }));
  }

  /** Waits for its end; the code that it ended with. */
  async function wait(id: string): Promise<number> {
    return (await read<{ StatusCode: number }>("POST", `/containers/${id}/wait`)).StatusCode;
  }

  async function output(id: string): Promise<string> {
    return demultiplex(await call("GET", `/containers/${id}/logs?stdout=1&stderr=1`));
  }

  async function remove(id: string): Promise<void> {
    await call("DELETE", `/containers/${id}?force=true`);
  }

  async function labImage(): Promise<string> {
    image ??= (await read<{ RepoTags: string[] | null }[]>("GET", "/images/json"))
      .flatMap(({ RepoTags }) => RepoTags ?? [])
      .find((tag) => tag.endsWith("lab/busybox:1"));
    if (image === undefined) throw new Error(`${name} has no image lab/busybox:1: see test/support/engines/README.md`);
    return image;
  }

  /** Removes what this run made, and what runs that ended without doing so have left. */
  async function cleanUp(): Promise<void> {
    const listed = await read<{ Id: string; Labels?: Record<string, string> }[]>("GET", "/containers/json?all=1");
    const ours = listed.filter(({ Labels }) => isOurs(Labels?.[LABEL]));
    // Another process of the tests may remove what an ended run left at the same time.
    const isGone = (error: unknown) => /: (404|409) /.test(String(error));
    await Promise.all(
      ours.map(({ Id }) => remove(Id).catch((error) => (isGone(error) ? undefined : Promise.reject(error)))),
    );
    const networks = await read<{ Name: string; Labels?: Record<string, string> }[]>("GET", "/networks");
    for (const { Name, Labels } of networks) if (isOurs(Labels?.[LABEL])) await removeNetwork(Name);
  }

  /** Tries for five seconds: Podman counts a container that is being removed. */
  async function removeNetwork(network: string, tries = 10): Promise<void> {
    try {
      await call("DELETE", `/networks/${network}`);
    } catch (error) {
      if (tries === 0) throw error;
      if (String(error).includes(": 404 ")) return;
      await Bun.sleep(500);
      await removeNetwork(network, tries - 1);
    }
  }

  return {
    name,
    socket,
    host: `unix://${socket}`,
    call,
    createNetwork,
    createIpv6Network,
    define,
    create,
    start,
    run,
    connect,
    exec,
    wait,
    output,
    remove,
    cleanUp,
  };
}

function isOurs(run: string | undefined): boolean {
  return (
    run === RUN || (run !== undefined && /^\d+-\d+$/.test(run) && !existsSync(`/proc/${Number.parseInt(run, 10)}`))
  );
}

/** The engine sends frames: the stream's number, three zeros, the length in four bytes, the text. */
async function demultiplex(response: Response): Promise<string> {
  const frames = new Uint8Array(await response.arrayBuffer());
  const view = new DataView(frames.buffer);
  const decoder = new TextDecoder();
  let text = "";
  for (let at = 0; at + 8 <= frames.length; ) {
    const end = at + 8 + view.getUint32(at + 4);
    text += decoder.decode(frames.subarray(at + 8, end), { stream: true });
    at = end;
  }
  return text;
}
