import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { note, noteAnswer } from "./secrets.ts";

const BINARY = join(import.meta.dir, "../../dist/ecs-local-endpoints");
const ADDRESS = { machine: "10.211.1.1", client: "10.211.1.2", machineOnLink: "10.211.2.1", neighbour: "10.211.2.2" };

/** Why no machine of network namespaces can be made here; undefined where one can. */
export function whyNoNamespaces(iptables: string): string | undefined {
  if (process.geteuid?.() !== 0) return "needs root";
  const missing = ["ip", "bash", iptables, `${iptables}-save`, `${iptables}-restore`].filter(
    (name) => Bun.which(name) === null,
  );
  if (missing.length > 0) return `needs ${missing.join(", ")}`;
  const made = Bun.spawnSync(["ip", "netns", "add", `ecsnet-${process.pid}-try`]);
  Bun.spawnSync(["ip", "netns", "del", `ecsnet-${process.pid}-try`]);
  return made.success ? undefined : `needs network namespaces (${made.stderr.toString().trim()})`;
}

let made = 0;

/**
 * A machine with a bridge, a container on that bridge and a neighbour on another link, each a network namespace of its own
 * with its own /run: nothing of the real machine is changed.
 *
 * @param iptables the program that the machine has as `iptables`: `iptables-nft` or `iptables-legacy`
 */
export function startMachine(iptables: string) {
  const name = `ecsnet-${process.pid}-${++made}`;
  const [client, neighbour] = [`${name}-c`, `${name}-n`];
  const folder = mkdtempSync(join(tmpdir(), "ecsnet-"));
  const [bin, run, count] = [join(folder, "bin"), join(folder, "run"), join(folder, "count")];
  const bridge = "ecsbr0";
  const children: Bun.Subprocess[] = [];
  sh(`mkdir ${bin} ${run}`);
  for (const suffix of ["", "-save", "-restore"]) {
    sh(`ln -s ${Bun.which(iptables + suffix)} ${bin}/iptables${suffix}`);
  }
  for (const one of [name, client, neighbour]) sh(`ip netns add ${one} && ip -n ${one} link set lo up`);
  sh(`ip -n ${name} link add ${bridge} type bridge
    ip -n ${name} addr add ${ADDRESS.machine}/24 dev ${bridge}
    ip -n ${name} link set ${bridge} up
    ip -n ${name} link add port0 type veth peer name eth0 netns ${client}
    ip -n ${name} link set port0 master ${bridge} up
    ip -n ${name} link add lan0 type veth peer name eth0 netns ${neighbour}
    ip -n ${name} addr add ${ADDRESS.machineOnLink}/24 dev lan0
    ip -n ${name} link set lan0 up`);
  attach(client, ADDRESS.client, ADDRESS.machine);
  attach(neighbour, ADDRESS.neighbour, ADDRESS.machineOnLink);
  // A program of the machine asks 169.254.170.2 over its default route, before it is redirected.
  sh(`ip -n ${name} route add default via ${ADDRESS.neighbour}`);

  const PATH = `${bin}:/usr/sbin:/usr/bin:/sbin:/bin`;
  const env = { PATH, HOME: "/nonexistent", BINARY };
  const inside = (script: string) => ["ip", "netns", "exec", name, "sh", "-c", `mount --bind ${run} /run && ${script}`];

  /** What a shell on the machine prints, and how it ended. */
  function onMachine(script: string, more: Record<string, string> = {}) {
    const run = Bun.spawnSync(inside(script), { env: { ...env, ...more }, timeout: 20_000 });
    const { exitCode, signalCode: signal } = run;
    const result = { exitCode, signal, stdout: run.stdout.toString(), stderr: run.stderr.toString() };
    note(result.stdout + result.stderr);
    return result;
  }

  /** A PATH with this script before the real program. */
  function before(program: string, script: string) {
    const here = mkdtempSync(join(folder, "before-"));
    writeFileSync(join(here, program), script, { mode: 0o755 });
    // The kind is found by the program that is called iptables, which is beside it.
    sh(`ln -s ${Bun.which(iptables)} ${here}/iptables`);
    return { PATH: `${here}:${PATH}` };
  }

  async function later(script: string, more: Record<string, string> = {}) {
    const child = Bun.spawn(inside(script), {
      ...{ env: { ...env, ...more }, stdout: "pipe", stderr: "pipe", timeout: 20_000 },
    });
    const [exitCode, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
    note(stdout + stderr);
    return { exitCode, stdout, stderr };
  }

  return {
    ...{ bridge, bin, ADDRESS },
    stateFile: join(run, "ecs-local-endpoints-network", `${statSync(`/run/netns/${name}`).ino}.json`),
    onMachine,
    /** Runs the program's `network` there. */
    network: (args: string, more?: Record<string, string>) => onMachine(`exec "$BINARY" network ${args}`, more),
    /** The same while this process goes on, as it must where it is the engine. */
    networkLater: (args: string, more?: Record<string, string>) => later(`exec "$BINARY" network ${args}`, more),
    /** Runs any script there while this process goes on. */
    later,
    /** Starts a program there, which ends with the machine. */
    start(command: readonly string[], more: Record<string, string> = {}) {
      // `exec`, so that the process that is known is the program itself.
      const script = `exec ${command.map((word) => `'${word}'`).join(" ")}`;
      const child = Bun.spawn(inside(script), { env: { ...env, ...more }, stdout: "ignore", stderr: "ignore" });
      children.push(child);
      return child;
    },
    /** Starts a program in the container, which ends with the machine. */
    startInClient(command: readonly string[]) {
      children.push(
        Bun.spawn(["ip", "netns", "exec", client, ...command], { env, stdout: "ignore", stderr: "ignore" }),
      );
    },
    /** Sends a datagram from the container in the name of an address of 127.0.0.0/8. */
    forgeFromClient(address: string) {
      sh(`ip -n ${client} addr add ${address}/32 dev eth0
        ip -n ${client} route add ${ADDRESS.machine}/32 dev eth0 src ${address}
        ip netns exec ${client} bash -c 'echo >/dev/udp/${ADDRESS.machine}/9'
        ip -n ${client} route del ${ADDRESS.machine}/32
        ip -n ${client} addr del ${address}/32 dev eth0`);
    },
    /** Sends a datagram from the neighbour to the machine's 127.0.0.1 in the name of another address, after `sendLoopback`. */
    forgeFromNeighbour(address: string, port: number) {
      sh(`ip -n ${neighbour} addr add ${address}/32 dev eth0
        ip -n ${neighbour} route add 127.0.0.1/32 via ${ADDRESS.machineOnLink} dev eth0 src ${address}
        ip netns exec ${neighbour} bash -c 'echo forged >/dev/udp/127.0.0.1/${port}'
        ip -n ${neighbour} route del 127.0.0.1/32
        ip -n ${neighbour} addr del ${address}/32 dev eth0`);
    },
    /** What iptables has, without what says nothing of it: comments, counters, tables and chains that are as they are born. */
    rules() {
      const { stdout, exitCode, stderr } = onMachine("iptables-save");
      if (exitCode !== 0) throw new Error(stderr);
      const tables = stdout.replace(/^#.*\n/gm, "").replace(/ \[\d+:\d+\]$/gm, "");
      return tables.replace(/^\*\w+\n(?::\w+ ACCEPT\n)*COMMIT\n/gm, "");
    },
    sysctls: () => onMachine("cd /proc/sys/net/ipv4/conf && grep . */route_localnet").stdout,
    sysctl: (of: string, value: 0 | 1) => onMachine(`echo ${value} >/proc/sys/net/ipv4/conf/${of}/route_localnet`),
    /** What the container gets for an HTTP request, without the head; "" without an answer. */
    fromClient: (host: string, port: number) => ask(client, host, port),
    fromNeighbour: (host: string, port: number) => ask(neighbour, host, port),
    fromMachine: (host: string, port: number) => ask(name, host, port),
    /** The same as the first two while this process goes on. */
    async askLater(who: "client" | "neighbour", host: string, port: number) {
      const child = Bun.spawn(askCommand(who === "client" ? client : neighbour, host, port), { stderr: "ignore" });
      return bodyOf(await child.stdout.text());
    },
    /** Lets both send to the machine's 127.0.0.1 over their link, as a raw socket does without any of this. */
    sendLoopback() {
      for (const [one, gateway] of [
        [client, ADDRESS.machine],
        [neighbour, ADDRESS.machineOnLink],
      ] as const) {
        sh(`ip netns exec ${one} sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet
          ip addr del 127.0.0.1/8 dev lo && ip route add 127.0.0.0/8 via ${gateway} dev eth0 src $0' ${
            one === client ? ADDRESS.client : ADDRESS.neighbour
          }`);
      }
    },
    /**
     * Puts an `iptables-restore` before the real one that sends a signal to its parent at the nth call: before it changes
     * something, or after.
     */
    killAt(nth: number, when: "before" | "after", signal = "KILL") {
      const real = Bun.which(`${iptables}-restore`);
      const kill = `kill -${signal} $PPID`;
      const script = `#!/bin/sh
        n=$(($(cat ${count} 2>/dev/null || echo 0) + 1)); echo $n >${count}
        [ $n = ${nth} ] || exec ${real} "$@"
        ${when === "before" ? kill : ""}
        ${when === "before" && signal === "KILL" ? "exit 1" : `${real} "$@"; code=$?`}
        ${when === "after" ? kill : ""}
        exit $code`;
      rmSync(count, { force: true });
      return before("iptables-restore", script);
    },
    /** Puts an `iptables-restore` before the real one that fails for a table. */
    failAt(table: string) {
      const script = `#!/bin/sh
        input=$(cat)
        case "$input" in "*${table}"*) echo no such thing here >&2; exit 3;; esac
        printf '%s\\n' "$input" | ${Bun.which(`${iptables}-restore`)} "$@"`;
      return before("iptables-restore", script);
    },
    stop() {
      for (const child of children) child.kill("SIGKILL");
      for (const one of [client, neighbour, name]) Bun.spawnSync(["ip", "netns", "del", one]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function attach(name: string, address: string, gateway: string): void {
  sh(`ip -n ${name} addr add ${address}/24 dev eth0
    ip -n ${name} link set eth0 up
    ip -n ${name} route add default via ${gateway}`);
}

function ask(name: string, host: string, port: number): string {
  return bodyOf(Bun.spawnSync(askCommand(name, host, port), { stderr: "ignore" }).stdout.toString());
}

function askCommand(name: string, host: string, port: number): string[] {
  const request = `GET /creds HTTP/1.1\\r\\nHost: ${host}\\r\\nConnection: close\\r\\n\\r\\n`;
  const script = `exec 3<>/dev/tcp/${host}/${port} && printf '${request}' >&3 && cat <&3`;
  return ["ip", "netns", "exec", name, "timeout", "1", "bash", "-c", script];
}

function bodyOf(answer: string): string {
  const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
  noteAnswer(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0), body);
  return body;
}

function sh(script: string): void {
  const { exitCode, stderr } = Bun.spawnSync(["sh", "-ec", script], { timeout: 10_000 });
  if (exitCode !== 0) throw new Error(`${script}: ${stderr}`);
}
