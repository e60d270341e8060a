/** A real engine and the command line that drives it. */
export interface RealEngine {
  readonly name: string;
  readonly host: string;
  /** Runs one command of its command line; gives what it printed. Throws where it fails. */
  readonly run: (...args: string[]) => Promise<string>;
  readonly image: string;
  readonly runFlags: readonly string[];
  /** The first three numbers of a /24 that no other engine of this machine uses. */
  readonly prefix: string;
}

/** The engines of ENGINES (`name=host ...`, which CI sets), else the one of DOCKER_HOST or of the usual socket. */
export async function realEngines(): Promise<RealEngine[]> {
  const given = process.env.ENGINES ?? `engine=${process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock"}`;
  const engines: RealEngine[] = [];
  for (const [index, entry] of given.split(" ").filter(Boolean).entries()) {
    const [name = "", host = ""] = entry.split("=");
    if (await answers(host)) engines.push(realEngine(name, host, `172.29.${40 + index * 2}`));
    else if (process.env.ENGINES) throw new Error(`the engine ${name} at ${host} does not answer`);
  }
  return engines;
}

async function answers(host: string): Promise<boolean> {
  try {
    const init = { unix: host.replace("unix://", ""), signal: AbortSignal.timeout(2_000) };
    return host.startsWith("unix://") && (await fetch("http://engine/_ping", init)).ok;
  } catch {
    return false;
  }
}

function realEngine(name: string, host: string, prefix: string): RealEngine {
  const podman = name === "podman";
  const root = "/tmp/ecs-local-engines/podman";
  const command = podman
    ? ["podman", "--root", `${root}/root`, "--runroot", `${root}/run`]
    : ["docker", "--host", host];
  return {
    name,
    host,
    prefix,
    image: podman ? "localhost/lab/busybox:1" : "lab/busybox:1",
    runFlags: podman ? ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"] : [],
    async run(...args) {
      const child = Bun.spawn([...command, ...args], {
        stdout: "pipe",
        stderr: "pipe",
        env: { PATH: "/usr/bin:/usr/local/bin:/usr/sbin:/sbin:/bin" },
      });
      const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
      if ((await child.exited) !== 0) throw new Error(`${name} ${args[0]}: ${err}`);
      return out;
    },
  };
}

/** A shell command that asks by nc. The request stays open: Bun drops a peer that closes its half early. */
export function ask(gateway: string, port: number, path: string): string {
  const request = `GET ${path} HTTP/1.1\\r\\nHost: ${gateway}\\r\\nConnection: close\\r\\n\\r\\n`;
  return `{ printf '${request}'; sleep ${path.includes("stats") ? 2 : 1}; } | nc -w 8 ${gateway} ${port}`;
}
