import { networkInterfaces } from "node:os";

const TASK_ADDRESS = "169.254.170.2";

/** The interface of this machine that has an address. */
export function interfaceOf(address: string): string {
  const found = Object.entries(networkInterfaces()).find(([, entries]) => entries?.some((e) => e.address === address));
  if (found === undefined) throw new Error(`no interface of this machine has ${address}`);
  return found[0];
}

/**
 * The two rules that AWS gives for Linux: a bridge's containers are sent from 169.254.170.2:80 to a port of loopback, and
 * so are programs of this machine.
 *
 * @returns what takes them away again
 */
export function redirectTaskAddress(bridge: string, port: number): () => void {
  const target = ["-p", "tcp", "-d", TASK_ADDRESS, "--dport", "80"];
  const rules = [
    ["PREROUTING", "-i", bridge, ...target, "-j", "DNAT", "--to-destination", `127.0.0.1:${port}`],
    ["OUTPUT", ...target, "-j", "REDIRECT", "--to-ports", String(port)],
  ];
  run("sysctl", "-q", "-w", `net.ipv4.conf.${bridge}.route_localnet=1`);
  for (const rule of rules) run("iptables", "-w", "-t", "nat", "-I", ...rule);
  return () => {
    for (const rule of rules) run("iptables", "-w", "-t", "nat", "-D", ...rule);
  };
}

/**
 * The engine moby-29 makes no firewall rules, and Debian's Docker beside it drops what no rule lets pass: its containers
 * reach the host, but not each other. Lets them pass on one bridge of the test's own.
 *
 * @returns what takes the rule away again
 */
export function letPass(bridge: string): () => void {
  const rule = ["FORWARD", "-i", bridge, "-o", bridge, "-j", "ACCEPT"];
  run("iptables", "-w", "-I", ...rule);
  return () => void run("iptables", "-w", "-D", ...rule);
}

/**
 * A machine of another network, made of a network namespace that is tied to this one: no engine knows it.
 *
 * @param base the first three numbers of its subnet; this machine is its .1
 */
export function startNeighbour(base: string) {
  const name = `ecsn${process.pid}`;
  const [here, there] = [`${name}a`, `${name}b`];
  const stop = () => {
    Bun.spawnSync(["ip", "link", "del", here]);
    Bun.spawnSync(["ip", "netns", "del", name]);
  };
  stop();
  try {
    run("ip", "netns", "add", name);
    run("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", name);
    run("ip", "addr", "add", `${base}.1/24`, "dev", here);
    run("ip", "link", "set", here, "up");
    run("ip", "-n", name, "addr", "add", `${base}.2/24`, "dev", there);
    run("ip", "-n", name, "link", "set", there, "up");
  } catch (error) {
    stop();
    throw error;
  }
  return {
    host: `${base}.1`,
    address: `${base}.2`,
    /** What a shell there prints. */
    run: (script: string) => run("ip", "netns", "exec", name, "sh", "-c", script),
    stop,
  };
}

function run(...command: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { timeout: 10_000 });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout.toString();
}
