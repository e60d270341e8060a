import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { startMachine, whyNoNamespaces } from "../support/netns.ts";

const TASK_ADDRESS = "169.254.170.2";
const PORT = 51679;
/** A service of the machine that listens on 127.0.0.1 and is nobody's business. */
const OTHER_PORT = 9000;
const FOLDER = "/run/ecs-local-endpoints-network";
const UP = "up --bridge ecsbr0";
const CI = process.env.CI === "true";

type Machine = ReturnType<typeof startMachine>;

for (const iptables of ["iptables-nft", "iptables-legacy"]) {
  const why = whyNoNamespaces(iptables);
  if (why !== undefined && CI) {
    test(`network with ${iptables}, as CI=true requires`, () => expect(why).toBeUndefined());
    continue;
  }
  describe.skipIf(why !== undefined)(`network with ${iptables}${why ? ` (skipped: ${why})` : ""}`, () => {
    let machine: Machine;
    beforeAll(async () => {
      machine = startMachine(iptables);
      const env = { ECS_LOCAL_ALLOWED_NETWORKS: "10.211.1.0/24", DOCKER_HOST: "unix:///nonexistent.sock" };
      machine.start([`${import.meta.dir}/../../dist/ecs-local-endpoints`, "--offline", "--port", String(PORT)], env);
      machine.start([process.execPath, "-e", otherService]);
      for (let tries = 0; !credentials(machine.fromMachine("127.0.0.1", PORT)); tries += 1) {
        if (tries > 100) throw new Error("the server does not answer");
        await Bun.sleep(50);
      }
      for (let tries = 0; machine.fromMachine("127.0.0.1", OTHER_PORT) !== "other"; tries += 1) {
        if (tries > 100) throw new Error("the other service does not answer");
        await Bun.sleep(50);
      }
    }, 30_000);
    afterAll(() => machine?.stop(), 30_000);

    test("up leads the container and the machine to the server, and only one bridge is opened", () => {
      expect(machine.fromClient(TASK_ADDRESS, 80)).toBe("");
      expect(machine.network("status --bridge ecsbr0")).toMatchObject({
        exitCode: 1,
        stdout: expect.stringMatching(/^missing {2}net\.ipv4\.conf\.ecsbr0\.route_localnet is 1$/m),
      });
      const before = machine.sysctls();
      expect(machine.network(UP)).toMatchObject({ exitCode: 0, stderr: "" });
      expect(credentials(machine.fromClient(TASK_ADDRESS, 80))).toBeTrue();
      expect(credentials(machine.fromMachine(TASK_ADDRESS, 80))).toBeTrue();
      expect(machine.sysctls()).toBe(before.replace("ecsbr0/route_localnet:0", "ecsbr0/route_localnet:1"));
      const { exitCode, stdout } = machine.network("status");
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^(ok .*\n){16}all stands\n$/);
      expect(JSON.parse(machine.network("status --json").stdout)).toMatchObject({ stands: true, notes: [] });
    });

    test("up again changes nothing", () => {
      const [rules, state] = [machine.rules(), readFileSync(machine.stateFile, "utf8")];
      const again = machine.network(UP);
      expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^nothing to change: /) });
      expect(machine.rules()).toBe(rules);
      expect(readFileSync(machine.stateFile, "utf8")).toBe(state);
    });

    test("status names the one rule that is missing, and up mends it", () => {
      const rules = machine.rules();
      const flushed = machine.onMachine("iptables -t nat -F ECS-LOCAL-OUTPUT");
      expect(flushed.exitCode).toBe(0);
      const { exitCode, stdout } = machine.network("status");
      expect(exitCode).toBe(1);
      expect(stdout.match(/^missing .*$/gm)).toEqual([
        `missing  ${TASK_ADDRESS}:80 leads this machine's programs to 127.0.0.1:${PORT}`,
      ]);
      expect(machine.network(UP).exitCode).toBe(0);
      expect(machine.rules()).toBe(rules);
    });

    test("status of other bridges tells what is left over", () => {
      const { exitCode, stdout } = machine.network("status --bridge lan0");
      expect(exitCode).toBe(1);
      expect(stdout).toContain("note     left over from an earlier up: net.ipv4.conf.ecsbr0.route_localnet is 1\n");
    });

    test("another port takes the place of the first", () => {
      const rules = machine.rules();
      expect(machine.network(`${UP} --port ${OTHER_PORT}`).exitCode).toBe(0);
      expect(machine.fromClient(TASK_ADDRESS, 80)).toBe("other");
      expect(machine.rules()).not.toContain(String(PORT));
      expect(machine.network(UP).exitCode).toBe(0);
      expect(credentials(machine.fromClient(TASK_ADDRESS, 80))).toBeTrue();
      expect(machine.rules()).toBe(rules);
    });

    test("two at once take turns, and end as one", async () => {
      machine.network("down");
      const both = [1, 2].map(() => machine.start(["sh", "-c", `"$BINARY" network ${UP}`]).exited);
      expect(await Promise.all(both)).toEqual([0, 0]);
      const rules = machine.rules();
      expect(rules.match(/-j DNAT/g)).toHaveLength(1);
      expect(machine.network(UP).stdout).toContain("nothing to change");
    });

    test("down leaves the machine as it was, with rules of others untouched", () => {
      machine.network("down");
      const others = `iptables -N OTHERS && iptables -A INPUT -i lan0 -j OTHERS && iptables -P FORWARD DROP
        iptables -t nat -A PREROUTING -i lan0 -p tcp --dport 81 -j REDIRECT --to-ports 82`;
      expect(machine.onMachine(others).exitCode).toBe(0);
      const [rules, sysctls] = [machine.rules(), machine.sysctls()];
      expect(rules).toContain("OTHERS");
      expect(machine.network(UP).exitCode).toBe(0);
      expect(machine.rules()).not.toBe(rules);
      expect(machine.network("down").exitCode).toBe(0);
      expect([machine.rules(), machine.sysctls()]).toEqual([rules, sysctls]);
      expect(existsSync(machine.stateFile)).toBeFalse();
      expect(machine.network("down")).toMatchObject({ exitCode: 0, stdout: "nothing of network up stands\n" });
      expect(machine.fromClient(TASK_ADDRESS, 80)).toBe("");
    });

    test("a value that somebody else set to 1 stays 1, and one that was changed since is left alone", () => {
      machine.sysctl("ecsbr0", 1);
      machine.network(UP);
      machine.network("down");
      expect(machine.sysctls()).toContain("ecsbr0/route_localnet:1");
      machine.sysctl("ecsbr0", 0);
      machine.network(UP);
      machine.sysctl("ecsbr0", 0);
      machine.network("down");
      expect(machine.sysctls()).toContain("ecsbr0/route_localnet:0");
      // What was 1 and was closed while up stood is closed again.
      machine.sysctl("ecsbr0", 1);
      machine.network(UP);
      machine.sysctl("ecsbr0", 0);
      machine.network(UP);
      machine.network("down");
      expect(machine.sysctls()).toContain("ecsbr0/route_localnet:0");
    });

    test("down closes a bridge that was given another name since", () => {
      const before = [machine.rules(), machine.sysctls()];
      machine.network(UP);
      machine.onMachine("ip link set ecsbr0 down name ecsbr9 && ip link set ecsbr9 up");
      expect(machine.sysctls()).toContain("ecsbr9/route_localnet:1");
      expect(machine.network("down").exitCode).toBe(0);
      machine.onMachine("ip link set ecsbr9 down name ecsbr0 && ip link set ecsbr0 up");
      expect([machine.rules(), machine.sysctls()]).toEqual(before);
    });

    test("without its state file, down goes by the chains, and closes what up opened", () => {
      const before = [machine.rules(), machine.sysctls()];
      machine.network(`${UP} --bridge lan0`);
      machine.onMachine(`rm -r ${FOLDER}`);
      expect(machine.network("down")).toMatchObject({ exitCode: 0, stderr: "" });
      expect([machine.rules(), machine.sysctls()]).toEqual(before);
    });

    test("without its state file, up goes by the chains: nothing is there twice, and the next down ends right", () => {
      const before = [machine.rules(), machine.sysctls()];
      machine.network(UP);
      const [after, state] = [machine.rules(), readFileSync(machine.stateFile, "utf8")];
      machine.network(`${UP} --bridge lan0 --port ${OTHER_PORT}`);
      machine.onMachine(`rm -r ${FOLDER}`);
      expect(machine.network(UP)).toMatchObject({ exitCode: 0, stderr: "" });
      expect(machine.rules()).toBe(after);
      expect(readFileSync(machine.stateFile, "utf8")).toBe(state);
      expect(machine.network("down").exitCode).toBe(0);
      expect([machine.rules(), machine.sysctls()]).toEqual(before);
    });

    test("without its state file, down keeps the rules of a bridge that may be open by us, and says the ways out", () => {
      const rules = machine.rules();
      machine.sysctl("ecsbr0", 1);
      machine.network(UP);
      const guarded = machine.rules();
      machine.onMachine(`rm -r ${FOLDER}`);
      const { exitCode, stderr } = machine.network("down");
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(
        /^ecs-local-endpoints: route_localnet is 1 on ecsbr0, .*\nhint: close it with sysctl -w net\.ipv4\.conf\.ecsbr0\.route_localnet=0, or .* network up --bridge ecsbr0; /,
      );
      expect(machine.rules()).toBe(guarded);
      expect(machine.sysctls()).toContain("ecsbr0/route_localnet:1");
      // The second way out.
      expect(machine.network(UP)).toMatchObject({
        exitCode: 0,
        stderr: expect.stringContaining("stays so after down"),
      });
      expect(machine.network("down").exitCode).toBe(0);
      expect(machine.rules()).toBe(rules);
      expect(machine.sysctls()).toContain("ecsbr0/route_localnet:1");
      // The first.
      machine.network(UP);
      machine.onMachine(`rm -r ${FOLDER}`);
      machine.sysctl("ecsbr0", 0);
      expect(machine.network("down").exitCode).toBe(0);
      expect(machine.rules()).toBe(rules);
    });

    test("another network namespace with the same /run neither uses its state nor takes it away", () => {
      const before = [machine.rules(), machine.sysctls()];
      machine.network(UP);
      const elsewhere = (args: string) => machine.onMachine(`unshare -n "$BINARY" network ${args}`);
      expect(elsewhere("down")).toMatchObject({ exitCode: 0, stdout: "nothing of network up stands\n" });
      expect(elsewhere("up --loopback").exitCode).toBe(0);
      expect(existsSync(machine.stateFile)).toBeTrue();
      expect(machine.network("status").exitCode).toBe(0);
      expect(machine.network("down")).toMatchObject({ exitCode: 0, stderr: "" });
      expect([machine.rules(), machine.sysctls()]).toEqual(before);
      machine.onMachine(`rm -r ${FOLDER}`);
    });

    test("a step that fails takes back those before it, and says which and why", () => {
      const [rules, sysctls] = [machine.rules(), machine.sysctls()];
      const failing = machine.failAt("--to-destination");
      const { exitCode, stderr } = machine.network(UP, failing);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(
        /^ecs-local-endpoints: iptables .* -j DNAT .* failed with 3: no such thing here\nhint: .+\n$/,
      );
      expect([machine.rules(), machine.sysctls()]).toEqual([rules, sysctls]);
      expect(existsSync(machine.stateFile)).toBeFalse();
    });

    // Every combination takes a minute with one kind of iptables: with the other, before and after take turns.
    const times = iptables === "iptables-nft" ? (["before", "after"] as const) : (["before or after"] as const);
    const combinations = (["up", "down"] as const).flatMap((killed) =>
      times.flatMap((time) => (["up", "down"] as const).map((next) => ({ killed, time, next }))),
    );
    test.each(combinations)(
      "$killed, killed $time any of its changes, is ended right by the next $next",
      (one) => {
        const { killed, time, next } = one;
        const commands = { up: UP, down: "down" };
        const picture = () => [machine.rules(), machine.sysctls()];
        machine.network("down");
        const clean = picture();
        machine.network(UP);
        const ended = { up: picture(), down: clean }[next];
        if (killed === "up") machine.network("down");
        let kills = 0;
        for (let nth = 1; ; nth += 1) {
          const when = time !== "before or after" ? time : nth % 2 ? "before" : "after";
          const { exitCode, signal } = machine.network(commands[killed], machine.killAt(nth, when));
          if (exitCode === 0) break;
          expect(signal).toBe("SIGKILL");
          kills += 1;
          expect(machine.network(commands[next]).exitCode).toBe(0);
          expect(picture(), `killed ${when} change ${nth}`).toEqual(ended);
          if (killed === next) machine.network(next === "up" ? "down" : UP);
        }
        expect(kills).toBe({ up: 15, down: 19 }[killed]);
        machine.network("down");
        expect(picture()).toEqual(clean);
      },
      120_000,
    );

    test("neither Ctrl-C nor an end of the session leaves a half", () => {
      const rules = machine.rules();
      for (const signal of ["INT", "TERM", "HUP"]) {
        expect(machine.network(UP, machine.killAt(5, "before", signal)).exitCode, signal).toBe(0);
        expect(machine.network("status").exitCode).toBe(0);
        expect(machine.network("down", machine.killAt(5, "before", signal)).exitCode, signal).toBe(0);
        expect(machine.rules()).toBe(rules);
      }
    }, 20_000);

    test("nor does Ctrl-C again and again, which a terminal sends to what the program runs as well", () => {
      const rules = machine.rules();
      // Before it asks for the first rule it may be ended.
      const interrupted = (args: string) => {
        const script = `setsid sh -c 'trap - INT; exec "$BINARY" network ${args}' & pid=$!
          until [ -e $RAN ]; do sleep 0.02; done
          for i in 1 2 3 4 5 6 7 8 9 10; do kill -INT -$pid 2>/dev/null; sleep 0.1; done; wait $pid`;
        return machine.onMachine(script, machine.slow());
      };
      expect(interrupted(UP)).toMatchObject({ exitCode: 0, stderr: "" });
      expect(machine.network("status").exitCode).toBe(0);
      expect(interrupted("down")).toMatchObject({ exitCode: 0, stderr: "" });
      expect(machine.rules()).toBe(rules);
    }, 20_000);

    test("a firewall that lets nobody in lets the container in to the server", () => {
      machine.onMachine("iptables -P INPUT DROP && iptables -A INPUT -i lo -j ACCEPT");
      machine.network(UP);
      expect(credentials(machine.fromClient(TASK_ADDRESS, 80))).toBeTrue();
      machine.network("down");
      machine.onMachine("iptables -P INPUT ACCEPT && iptables -D INPUT -i lo -j ACCEPT");
    });

    test("a container's port that an engine gives the machine on its 127.0.0.1 goes on answering", async () => {
      machine.startInClient([process.execPath, "-e", otherService.replace("127.0.0.1", machine.ADDRESS.client)]);
      // What Docker does without its proxy, the sysctl as well.
      machine.network("down");
      machine.sysctl("ecsbr0", 1);
      machine.onMachine(`iptables -t nat -A OUTPUT -d 127.0.0.1 -p tcp --dport 8081 -j DNAT --to ${machine.ADDRESS.client}:9000
        iptables -t nat -A POSTROUTING -s 127.0.0.0/8 -o ecsbr0 -j MASQUERADE`);
      for (let tries = 0; machine.fromMachine("127.0.0.1", 8081) !== "other"; tries += 1) {
        if (tries > 50) throw new Error("the container's service does not answer");
        await Bun.sleep(50);
      }
      machine.network(UP);
      expect(machine.fromMachine("127.0.0.1", 8081)).toBe("other");
      machine.network("down");
      expect(machine.fromMachine("127.0.0.1", 8081)).toBe("other");
      // The same where the sysctl is ours.
      machine.sysctl("ecsbr0", 0);
      machine.network(UP);
      expect(machine.fromMachine("127.0.0.1", 8081)).toBe("other");
      machine.network("down");
      machine.onMachine("iptables -t nat -F OUTPUT; iptables -t nat -F POSTROUTING");
    }, 20_000);

    const needsProxy = Bun.which("docker-proxy") === null && !CI;
    test.skipIf(needsProxy)(
      `a server in a container that Docker publishes on 127.0.0.1 is reached${needsProxy ? " (skipped: needs docker-proxy)" : ""}`,
      async () => {
        const { client } = machine.ADDRESS;
        machine.startInClient([process.execPath, "-e", otherService.replace("127.0.0.1", client)]);
        // What Docker does for -p 127.0.0.1:8082:9000, as of version 28 in raw as well.
        machine.onMachine(`iptables -t raw -A PREROUTING -d 127.0.0.1 ! -i lo -p tcp --dport 8082 -j DROP
          iptables -t nat -N DOCKER
          iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
          iptables -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
          iptables -t nat -A POSTROUTING -s 10.211.1.0/24 ! -o ecsbr0 -j MASQUERADE
          iptables -t nat -A DOCKER -i ecsbr0 -j RETURN
          iptables -t nat -A DOCKER -d 127.0.0.1 ! -i ecsbr0 -p tcp --dport 8082 -j DNAT --to-destination ${client}:9000`);
        const published = `-host-ip 127.0.0.1 -host-port 8082 -container-ip ${client} -container-port 9000`;
        // It says on 3 that it listens.
        const proxy = machine.start(["sh", "-c", `exec docker-proxy -proto tcp ${published} 3>/dev/null`]);
        for (let tries = 0; machine.fromMachine("127.0.0.1", 8082) !== "other"; tries += 1) {
          if (tries > 50) throw new Error("the container's service does not answer");
          await Bun.sleep(50);
        }
        machine.network(`${UP} --port 8082`);
        expect(machine.fromClient(TASK_ADDRESS, 80)).toBe("other");
        expect(machine.fromMachine(TASK_ADDRESS, 80)).toBe("other");
        machine.network("down");
        proxy.kill("SIGKILL");
        machine.onMachine("iptables -t raw -F; iptables -t nat -F; iptables -t nat -X DOCKER");
      },
      20_000,
    );

    describe("keeps 127.0.0.0/8 to the machine:", () => {
      beforeAll(() => machine.sendLoopback());

      test("a container that sends to 127.0.0.1 itself reaches nothing, where the sysctl alone lets it in", () => {
        machine.sysctl("ecsbr0", 1);
        expect(machine.fromClient("127.0.0.1", OTHER_PORT)).toBe("other");
        machine.sysctl("ecsbr0", 0);
        machine.network(UP);
        expect(credentials(machine.fromClient(TASK_ADDRESS, 80))).toBeTrue();
        for (const port of [OTHER_PORT, PORT]) expect(machine.fromClient("127.0.0.1", port), String(port)).toBe("");
        expect(machine.fromClient(TASK_ADDRESS, OTHER_PORT)).toBe("");
        machine.network("down");
      }, 20_000);

      test("what a container sends in the name of 127.0.0.0/8 is dropped before anything sees it", () => {
        machine.network(UP);
        const dropped = () =>
          /^ *(\d+) .* ecsbr0 /m.exec(machine.onMachine("iptables -t raw -vnxL ECS-LOCAL-GUARD").stdout)?.[1];
        expect(dropped()).toBe("0");
        machine.forgeFromClient("127.0.0.5");
        expect(dropped()).toBe("1");
        machine.network("down");
      });

      test("nor by a port that others forward to loopback, which did not work before either", () => {
        const rule = "PREROUTING -p tcp -d 10.211.1.1 --dport 8080 -j DNAT --to-destination 127.0.0.1:9000";
        machine.onMachine(`iptables -t nat -A ${rule}`);
        machine.network(UP);
        expect(machine.fromClient("10.211.1.1", 8080)).toBe("");
        machine.network("down");
        // Somebody who has set the sysctl counts on it.
        machine.sysctl("ecsbr0", 1);
        expect(machine.fromClient("10.211.1.1", 8080)).toBe("other");
        machine.network(UP);
        expect(machine.fromClient("10.211.1.1", 8080)).toBe("other");
        machine.network("down");
        machine.sysctl("ecsbr0", 0);
        machine.onMachine(`iptables -t nat -D ${rule}`);
      }, 20_000);

      test("a neighbour on another link reaches neither it nor 169.254.170.2, even where all links were opened", () => {
        machine.network(UP);
        for (const port of [OTHER_PORT, PORT]) expect(machine.fromNeighbour("127.0.0.1", port)).toBe("");
        expect(machine.fromNeighbour(TASK_ADDRESS, 80)).toBe("");
        machine.network("down");
        machine.sysctl("all", 1);
        expect(machine.fromNeighbour("127.0.0.1", OTHER_PORT)).toBe("other");
        expect(machine.network(UP).stderr).toContain("net.ipv4.conf.all.route_localnet is 1");
        for (const port of [OTHER_PORT, PORT]) expect(machine.fromNeighbour("127.0.0.1", port)).toBe("");
        machine.network("down");
        machine.sysctl("all", 0);
      }, 20_000);

      test("nor in the name of 127.0.0.0/8, which the kernel takes from a link", async () => {
        const log = `${machine.bin}/datagrams`;
        const port = 9001;
        const source = `const log = require("node:fs").appendFileSync.bind(null, "${log}");
          await Bun.udpSocket({ hostname: "127.0.0.1", port: ${port}, socket: { data: (_, data) => log(data) } });
          log("listening\\n"); await Bun.sleep(60_000);`;
        const server = machine.start([process.execPath, "-e", source]);
        const seen = () => (existsSync(log) ? readFileSync(log, "utf8") : "");
        const until = async (text: string) => {
          for (let tries = 0; seen() !== text && tries < 100; tries += 1) await Bun.sleep(20);
          expect(seen()).toBe(text);
        };
        await until("listening\n");
        machine.sysctl("all", 1);
        machine.forgeFromNeighbour("127.0.0.5", port);
        await until("listening\nforged\n");
        machine.network(UP);
        machine.forgeFromNeighbour("127.0.0.5", port);
        machine.onMachine(`bash -c 'echo own >/dev/udp/127.0.0.1/${port}'`);
        await until("listening\nforged\nown\n");
        machine.network("down");
        machine.sysctl("all", 0);
        server.kill("SIGKILL");
      }, 20_000);
    });
  });
}

const otherService = `Bun.serve({ hostname: "127.0.0.1", port: ${OTHER_PORT}, fetch: () => new Response("other") })`;

function credentials(answer: string): boolean {
  return answer.includes('"AccessKeyId":"ASIA');
}
