import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { startMachine, whyNoNamespaces } from "../support/netns.ts";

const TASK_ADDRESS = "169.254.170.2";
const PORT = 51679;
/** Another service of the machine, on 127.0.0.1. */
const OTHER_PORT = 9000;
const FOLDER = "/run/ecs-local-endpoints-network";
const UP = "up --bridge ecsbr0";
const CI = process.env.CI === "true";
const otherService = `Bun.serve({ hostname: "127.0.0.1", port: ${OTHER_PORT}, fetch: () => new Response("other") })`;
const isCredentials = (answer: string) => answer.includes('"AccessKeyId":"ASIA');
setDefaultTimeout(20_000);

for (const iptables of ["iptables-nft", "iptables-legacy"]) {
  const why = whyNoNamespaces(iptables);
  if (why !== undefined && CI) {
    test(`network with ${iptables}, as CI=true requires`, () => expect(why).toBeUndefined());
    continue;
  }
  describe.skipIf(why !== undefined)(`network with ${iptables}${why ? ` (skipped: ${why})` : ""}`, () => {
    let machine: ReturnType<typeof startMachine>;
    let clean: string[];
    const snapshot = () => [machine.rules(), machine.sysctls()];
    const until = async (what: () => boolean) => {
      for (let tries = 0; !what(); tries += 1) {
        if (tries > 100) throw new Error("it did not happen within 5 s");
        await Bun.sleep(50);
      }
    };

    beforeAll(async () => {
      machine = startMachine(iptables);
      const env = { ECS_LOCAL_ALLOWED_NETWORKS: "10.211.1.0/24", DOCKER_HOST: "unix:///nonexistent.sock" };
      machine.start([`${import.meta.dir}/../../dist/ecs-local-endpoints`, "--offline", "--port", String(PORT)], env);
      machine.start([process.execPath, "-e", otherService]);
      await until(() => isCredentials(machine.fromMachine("127.0.0.1", PORT)));
      await until(() => machine.fromMachine("127.0.0.1", OTHER_PORT) === "other");
      // The tables exist from the first use on.
      machine.network(UP);
      machine.network("down");
      clean = snapshot();
    }, 30_000);
    afterEach(() => {
      for (const name of ["ecsbr0", "all"]) machine.sysctl(name, 0);
      machine.network("down");
    });
    afterAll(() => machine?.stop(), 30_000);

    test("up leads containers and the machine to the server, and opens only the bridge", () => {
      expect(machine.fromClient(TASK_ADDRESS, 80)).toBe("");
      expect(machine.network("status --bridge ecsbr0").exitCode).toBe(1);
      expect(machine.network(UP)).toMatchObject({ exitCode: 0, stderr: "" });
      expect(isCredentials(machine.fromClient(TASK_ADDRESS, 80))).toBeTrue();
      expect(isCredentials(machine.fromMachine(TASK_ADDRESS, 80))).toBeTrue();
      expect(machine.sysctls()).toBe(clean[1]?.replace("ecsbr0/route_localnet:0", "ecsbr0/route_localnet:1") ?? "");
      const { exitCode, stdout } = machine.network("status");
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^(ok .*\n){12}complete\n$/);
      expect(JSON.parse(machine.network("status --json").stdout)).toMatchObject({ complete: true, notes: [] });
    });

    test("up again changes nothing", () => {
      machine.network(UP);
      const before = [...snapshot(), readFileSync(machine.stateFile, "utf8")];
      expect(machine.network(UP).stdout).toStartWith("nothing to change: ");
      expect([...snapshot(), readFileSync(machine.stateFile, "utf8")]).toEqual(before);
    });

    test("status names the missing rule and what is left over, and up repairs both", () => {
      machine.network(UP);
      const before = snapshot();
      machine.onMachine("iptables -t nat -F ECS-LOCAL-OUTPUT; iptables -A ECS-LOCAL-INPUT -s 10.9.9.9 -j ACCEPT");
      const { exitCode, stdout } = machine.network("status");
      expect(exitCode).toBe(1);
      expect(stdout.match(/^(missing|note) .*$/gm)).toEqual([
        `missing  ${TASK_ADDRESS}:80 leads programs of this machine to 127.0.0.1:${PORT}`,
        "note     left over from an earlier up: ECS-LOCAL-INPUT has 1 other rule",
      ]);
      expect(machine.network(UP).exitCode).toBe(0);
      expect(snapshot()).toEqual(before);
    });

    test("another port and other bridges replace the first, which are closed", () => {
      machine.network(UP);
      const first = snapshot();
      expect(machine.network("up --bridge lan0 --port 9000")).toMatchObject({ exitCode: 0 });
      expect(machine.rules()).not.toMatch(/51679|ecsbr0/);
      expect(machine.sysctls()).toContain("ecsbr0/route_localnet:0");
      expect(machine.network(`${UP} --port ${OTHER_PORT}`).exitCode).toBe(0);
      expect(machine.fromClient(TASK_ADDRESS, 80)).toBe("other");
      expect(machine.network(UP).exitCode).toBe(0);
      expect(snapshot()).toEqual(first);
    });

    test("two calls at once run one after the other", async () => {
      const both = [1, 2].map(() => machine.start(["sh", "-c", `"$BINARY" network ${UP}`]).exited);
      expect(await Promise.all(both)).toEqual([0, 0]);
      expect(machine.rules().match(/-j DNAT/g)).toHaveLength(1);
    });

    test("down restores the machine, with the rules of other programs untouched", () => {
      const others = `iptables -N OTHERS && iptables -A INPUT -i lan0 -j OTHERS && iptables -P FORWARD DROP
        iptables -t nat -A PREROUTING -i lan0 -p tcp --dport 81 -j REDIRECT --to-ports 82`;
      expect(machine.onMachine(others).exitCode).toBe(0);
      const before = snapshot();
      machine.network(UP);
      expect(machine.network("down")).toMatchObject({ exitCode: 0, stderr: "" });
      expect(snapshot()).toEqual(before);
      expect(existsSync(machine.stateFile)).toBeFalse();
      expect(machine.network("down").stdout).toBe("nothing of network up exists\n");
      machine.onMachine("iptables -F; iptables -X OTHERS; iptables -P FORWARD ACCEPT; iptables -t nat -F");
    });

    test("a sysctl that was 1 before stays 1, and one that was changed since is left alone", () => {
      machine.sysctl("ecsbr0", 1);
      machine.network(UP);
      machine.network("down");
      expect(machine.sysctls()).toContain("ecsbr0/route_localnet:1");
      machine.sysctl("ecsbr0", 0);
      machine.network(UP);
      machine.sysctl("ecsbr0", 0);
      machine.network("down");
      expect(machine.sysctls()).toContain("ecsbr0/route_localnet:0");
    });

    test("down closes a bridge that was renamed, and leaves a new one of its name alone", () => {
      machine.network(UP);
      machine.onMachine("ip link set ecsbr0 down name ecsbr9 && ip link set ecsbr9 up");
      expect(machine.network("down").exitCode).toBe(0);
      expect(machine.sysctls()).toContain("ecsbr9/route_localnet:0");
      machine.onMachine("ip link set ecsbr9 down name ecsbr0 && ip link set ecsbr0 up");
      machine.onMachine("ip link add ecsbr1 type bridge");
      machine.network("up --bridge ecsbr1");
      machine.onMachine("ip link del ecsbr1 && ip link add ecsbr1 type bridge");
      machine.sysctl("ecsbr1", 1);
      expect(machine.network("status").exitCode).toBe(0);
      machine.network("down");
      expect(machine.sysctls()).toContain("ecsbr1/route_localnet:1");
      machine.onMachine("ip link del ecsbr1");
      expect(snapshot()).toEqual(clean);
    });

    test("a bridge that does not exist any more is missing, and down removes its rules", () => {
      machine.onMachine("ip link add ecsbr1 type bridge");
      machine.network(`${UP} --bridge ecsbr1`);
      machine.onMachine("ip link del ecsbr1");
      const { exitCode, stdout } = machine.network("status");
      expect(exitCode).toBe(1);
      expect(stdout).toContain("missing  the interface ecsbr1 of network up exists\n");
      expect(stdout).toMatch(/^1 of \d+ are missing: run network up --bridge ecsbr0$/m);
      expect(machine.network("down").exitCode).toBe(0);
      expect(snapshot()).toEqual(clean);
    });

    describe("without its state file", () => {
      test("up knows by the rules that it opened the bridge", () => {
        machine.network(UP);
        const before = snapshot();
        machine.onMachine(`rm -r ${FOLDER}`);
        expect(machine.network("status --bridge ecsbr0").stdout).toContain("the state file of network up is missing");
        expect(machine.network(UP)).toMatchObject({ exitCode: 0, stderr: "" });
        expect(snapshot()).toEqual(before);
        expect(machine.network("down").exitCode).toBe(0);
        expect(snapshot()).toEqual(clean);
      });
      test("down keeps the rules while a bridge in them is open, and names the way out", () => {
        machine.network(UP);
        const before = snapshot();
        machine.onMachine(`rm -r ${FOLDER}`);
        const { exitCode, stderr } = machine.network("down");
        expect(exitCode).toBe(1);
        expect(stderr).toMatch(
          /is missing, and route_localnet is 1 on ecsbr0: the rules were kept, .*\nhint: close it /,
        );
        expect(snapshot()).toEqual(before);
        const command = /close it with (.*), then/.exec(stderr)?.[1] ?? "false";
        expect(machine.onMachine(command).exitCode).toBe(0);
        expect(machine.network("down")).toMatchObject({ exitCode: 0, stderr: "" });
        expect(snapshot()).toEqual(clean);
      });
      test("another network namespace with the same /run has a state of its own", () => {
        machine.network(UP);
        const elsewhere = (args: string) => machine.onMachine(`unshare -n "$BINARY" network ${args}`);
        expect(elsewhere("down")).toMatchObject({ exitCode: 0, stdout: "nothing of network up exists\n" });
        expect(elsewhere("up --loopback").exitCode).toBe(0);
        expect(machine.network("status").exitCode).toBe(0);
        expect(machine.network("down")).toMatchObject({ exitCode: 0, stderr: "" });
        machine.onMachine(`rm -r ${FOLDER}`);
      });
    });

    test("a table that fails is named with the reason, nothing leads to the server, and down ends right", () => {
      const { exitCode, stderr } = machine.network(UP, machine.failAt("nat"));
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(
        /^ecs-local-endpoints: iptables\S*-restore of nat failed with 3: no such thing here\nhint: .+\n$/,
      );
      expect(machine.fromClient(TASK_ADDRESS, 80)).toBe("");
      expect(machine.rules()).toContain("ECS-LOCAL-GUARD");
      expect(machine.network("down").exitCode).toBe(0);
      expect(snapshot()).toEqual(clean);
    });

    for (const [killed, next] of [
      ["up", "up"],
      ["up", "down"],
      ["down", "up"],
      ["down", "down"],
    ] as const) {
      test(`${killed}, killed at any table, is completed by the next ${next}`, () => {
        const commands = { up: UP, down: "down" };
        machine.network(UP);
        const ended = { up: snapshot(), down: clean }[next];
        for (let nth = 1; nth <= 3; nth += 1) {
          for (const when of ["before", "after"] as const) {
            machine.network(killed === "up" ? "down" : UP);
            expect(machine.network(commands[killed], machine.killAt(nth, when)).signal).toBe("SIGKILL");
            expect(machine.network(commands[next]).exitCode).toBe(0);
            expect(snapshot(), `killed ${when} change ${nth}`).toEqual(ended);
          }
        }
      });
    }

    test("Ctrl-C, SIGTERM and the end of the session do not interrupt it", () => {
      for (const signal of ["INT", "TERM", "HUP"]) {
        expect(machine.network(UP, machine.killAt(2, "before", signal)).exitCode, signal).toBe(0);
        expect(machine.network("status").exitCode).toBe(0);
        expect(machine.network("down", machine.killAt(2, "before", signal)).exitCode, signal).toBe(0);
        expect(snapshot()).toEqual(clean);
      }
    });

    test("down names a rule of another program that leads to its chains, and changes nothing", () => {
      machine.network(UP);
      machine.onMachine("iptables -A FORWARD -s 10.9.9.9 -j ACCEPT; iptables -A FORWARD -j ECS-LOCAL-INPUT");
      const before = snapshot();
      for (const action of ["down", "down --print", "up --loopback"]) {
        const { exitCode, stderr } = machine.network(action);
        expect(exitCode).toBe(1);
        expect(stderr).toContain("leads to a chain of network up: -A FORWARD -j ECS-LOCAL-INPUT (filter); nothing was");
        expect(stderr).toContain("iptables -t filter -D FORWARD 2\n");
      }
      expect(machine.network("status").stdout).toContain("another program's rule leads here: -A FORWARD");
      expect(snapshot()).toEqual(before);
      machine.onMachine("iptables -t filter -D FORWARD 2; iptables -F FORWARD");
      expect(machine.network("down").exitCode).toBe(0);
    });

    test("what --print prints makes the same when a shell runs it", () => {
      const run = (script: string) => machine.onMachine(`sh -e <<'SCRIPT'\n${script}SCRIPT\n`);
      const printed = machine.network(`${UP} --print`);
      expect(printed).toMatchObject({ exitCode: 0, stderr: "" });
      expect(snapshot()).toEqual(clean);
      machine.network(UP);
      const complete = snapshot();
      expect(machine.network(`${UP} --print`)).toMatchObject({ stdout: "", stderr: "note: nothing to change\n" });
      const undo = machine.network("down --print").stdout;
      machine.network("down");
      expect(run(printed.stdout).exitCode).toBe(0);
      expect(snapshot()).toEqual(complete);
      expect(run(undo)).toMatchObject({ exitCode: 0, stderr: "" });
      expect(snapshot()).toEqual(clean);
    });

    test("a firewall that accepts nothing lets containers in to the server", () => {
      machine.onMachine("iptables -P INPUT DROP && iptables -A INPUT -i lo -j ACCEPT");
      machine.network(UP);
      expect(isCredentials(machine.fromClient(TASK_ADDRESS, 80))).toBeTrue();
      machine.onMachine("iptables -P INPUT ACCEPT && iptables -D INPUT -i lo -j ACCEPT");
    });

    test("a container's port that an engine publishes on 127.0.0.1 without a proxy stays reachable", async () => {
      const { client } = machine.ADDRESS;
      machine.startInClient([process.execPath, "-e", otherService.replace("127.0.0.1", client)]);
      machine.sysctl("ecsbr0", 1);
      machine.onMachine(`iptables -t nat -A OUTPUT -d 127.0.0.1 -p tcp --dport 8081 -j DNAT --to ${client}:9000
        iptables -t nat -A POSTROUTING -s 127.0.0.0/8 -o ecsbr0 -j MASQUERADE`);
      await until(() => machine.fromMachine("127.0.0.1", 8081) === "other");
      machine.network(UP);
      expect(machine.fromMachine("127.0.0.1", 8081)).toBe("other");
      machine.network("down");
      expect(machine.fromMachine("127.0.0.1", 8081)).toBe("other");
      machine.sysctl("ecsbr0", 0);
      machine.network(UP);
      expect(machine.fromMachine("127.0.0.1", 8081)).toBe("other");
      machine.network("down");
      machine.onMachine("iptables -t nat -F");
    });

    const needsProxy = Bun.which("docker-proxy") === null && !CI;
    const reason = needsProxy ? " (skipped: needs docker-proxy)" : "";
    test.skipIf(needsProxy)(`a server that Docker publishes on 127.0.0.1 is reached${reason}`, async () => {
      const { client } = machine.ADDRESS;
      machine.startInClient([process.execPath, "-e", otherService.replace("127.0.0.1", client)]);
      // The rules of Docker 28 for -p 127.0.0.1:8082:9000.
      machine.onMachine(`iptables -t raw -A PREROUTING -d 127.0.0.1 ! -i lo -p tcp --dport 8082 -j DROP
        iptables -t nat -N DOCKER
        iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
        iptables -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
        iptables -t nat -A POSTROUTING -s 10.211.1.0/24 ! -o ecsbr0 -j MASQUERADE
        iptables -t nat -A DOCKER -i ecsbr0 -j RETURN
        iptables -t nat -A DOCKER -d 127.0.0.1 ! -i ecsbr0 -p tcp --dport 8082 -j DNAT --to-destination ${client}:9000`);
      const published = `-host-ip 127.0.0.1 -host-port 8082 -container-ip ${client} -container-port 9000`;
      // docker-proxy reports on 3 that it listens.
      const proxy = machine.start(["sh", "-c", `exec docker-proxy -proto tcp ${published} 3>/dev/null`]);
      await until(() => machine.fromMachine("127.0.0.1", 8082) === "other");
      machine.network(`${UP} --port 8082`);
      expect(machine.fromClient(TASK_ADDRESS, 80)).toBe("other");
      expect(machine.fromMachine(TASK_ADDRESS, 80)).toBe("other");
      machine.network("down");
      proxy.kill("SIGKILL");
      machine.onMachine("iptables -t raw -F; iptables -t nat -F; iptables -t nat -X DOCKER");
    });

    describe("keeps 127.0.0.0/8 to the machine:", () => {
      beforeAll(() => machine.sendLoopback());

      test("a container that sends to 127.0.0.1 itself reaches nothing, though the sysctl alone lets it in", () => {
        machine.sysctl("ecsbr0", 1);
        expect(machine.fromClient("127.0.0.1", OTHER_PORT)).toBe("other");
        machine.sysctl("ecsbr0", 0);
        machine.network(UP);
        expect(isCredentials(machine.fromClient(TASK_ADDRESS, 80))).toBeTrue();
        for (const port of [OTHER_PORT, PORT]) expect(machine.fromClient("127.0.0.1", port), String(port)).toBe("");
        expect(machine.fromClient(TASK_ADDRESS, OTHER_PORT)).toBe("");
      });

      test("packets of a container with a source in 127.0.0.0/8 are dropped", () => {
        machine.network(UP);
        const dropped = () =>
          /^ *(\d+) .* ecsbr0 /m.exec(machine.onMachine("iptables -t raw -vnxL ECS-LOCAL-GUARD").stdout)?.[1];
        expect(dropped()).toBe("0");
        machine.forgeFromClient("127.0.0.5");
        expect(dropped()).toBe("1");
      });

      test("a DNAT of another program to loopback, which had no effect, stays without, unless the sysctl was set", () => {
        const rule = "PREROUTING -p tcp -d 10.211.1.1 --dport 8080 -j DNAT --to-destination 127.0.0.1:9000";
        machine.onMachine(`iptables -t nat -A ${rule}`);
        machine.network(UP);
        expect(machine.fromClient("10.211.1.1", 8080)).toBe("");
        machine.network("down");
        machine.sysctl("ecsbr0", 1);
        expect(machine.fromClient("10.211.1.1", 8080)).toBe("other");
        machine.network(UP);
        expect(machine.fromClient("10.211.1.1", 8080)).toBe("other");
        machine.onMachine(`iptables -t nat -D ${rule}`);
      });

      test("a neighbour on another link reaches neither it nor 169.254.170.2, even if all links were opened", () => {
        machine.network(UP);
        for (const port of [OTHER_PORT, PORT]) expect(machine.fromNeighbour("127.0.0.1", port)).toBe("");
        expect(machine.fromNeighbour(TASK_ADDRESS, 80)).toBe("");
        machine.network("down");
        machine.sysctl("all", 1);
        expect(machine.fromNeighbour("127.0.0.1", OTHER_PORT)).toBe("other");
        expect(machine.network(UP).stderr).toContain("net.ipv4.conf.all.route_localnet=1");
        for (const port of [OTHER_PORT, PORT]) expect(machine.fromNeighbour("127.0.0.1", port)).toBe("");
      });

      test("packets from another link with a source in 127.0.0.0/8 are dropped", async () => {
        const log = `${machine.bin}/datagrams`;
        const port = 9001;
        const source = `const log = require("node:fs").appendFileSync.bind(null, "${log}");
          await Bun.udpSocket({ hostname: "127.0.0.1", port: ${port}, socket: { data: (_, data) => log(data) } });
          log("listening\\n"); await Bun.sleep(60_000);`;
        const server = machine.start([process.execPath, "-e", source]);
        const received = (text: string) => until(() => existsSync(log) && readFileSync(log, "utf8") === text);
        await received("listening\n");
        machine.sysctl("all", 1);
        machine.forgeFromNeighbour("127.0.0.5", port);
        await received("listening\nforged\n");
        machine.network(UP);
        machine.forgeFromNeighbour("127.0.0.5", port);
        machine.onMachine(`bash -c 'echo own >/dev/udp/127.0.0.1/${port}'`);
        await received("listening\nforged\nown\n");
        server.kill("SIGKILL");
      });
    });
  });
}
