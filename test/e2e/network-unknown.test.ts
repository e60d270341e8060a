import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { shellWords } from "../../src/text.ts";
import { startMachine, whyNoNamespaces } from "../support/netns.ts";

const FOLDER = "/run/ecs-local-endpoints-network";
const UP = "up --bridge ecsbr0";
/** So that whoever asks an engine fails. */
const NO_ENGINE = { DOCKER_HOST: "unix:///nonexistent.sock" };
const AS_NOBODY = "setpriv --reuid=65534 --clear-groups --inh-caps=+dac_read_search --ambient-caps=+dac_read_search";
setDefaultTimeout(20_000);
const CI = process.env.CI === "true";

for (const iptables of ["iptables-nft", "iptables-legacy"]) {
  const why = whyNoNamespaces(iptables);
  if (why !== undefined && CI) {
    test(`what network does not know, with ${iptables}, as CI=true requires`, () => expect(why).toBeUndefined());
    continue;
  }
  describe.skipIf(why !== undefined)(`with ${iptables}${why ? ` (skipped: ${why})` : ""}`, () => {
    let machine: ReturnType<typeof startMachine>;
    let clean: string[];
    const picture = () => [machine.rules(), machine.sysctls()];
    const run = (commands: string) => {
      writeFileSync(join(machine.bin, "commands"), commands);
      return machine.onMachine(`sh -e ${machine.bin}/commands`);
    };
    const lose = () => machine.onMachine(`rm -r ${FOLDER}`);
    /** An `iptables` and the commands that changed something by it. */
    function logged() {
      const folder = mkdtempSync(join(machine.bin, "logged-"));
      const script = `#!/bin/sh
        case "$5" in -[NAIDFX]) echo "iptables $*" >>${folder}/log;; esac
        exec ${Bun.which(iptables)} "$@"`;
      writeFileSync(join(folder, "iptables"), script, { mode: 0o755 });
      return {
        env: { PATH: `${folder}:${process.env.PATH}`, ...NO_ENGINE },
        log: () => readFileSync(join(folder, "log"), "utf8"),
      };
    }
    const ofIptables = (text: string) =>
      text
        .replaceAll("'", "")
        .match(/^iptables .*\n/gm)
        ?.join("");

    beforeAll(() => {
      machine = startMachine(iptables);
      clean = picture();
    });
    afterEach(() => {
      machine.onMachine(`for table in raw filter nat; do iptables -t $table -F; iptables -t $table -X; done
        ip link del ecsbr1; ip address del 169.254.170.2/32 dev lo; rm -rf ${FOLDER}`);
      machine.sysctl("ecsbr0", 0);
    });
    afterAll(() => machine?.stop());

    describe("where the state file was lost", () => {
      test("status goes by the chains, asks no engine and says that it was", () => {
        machine.network(`${UP} --port 9000`);
        lose();
        const { exitCode, stdout } = machine.network("status", NO_ENGINE);
        expect(exitCode).toBe(0);
        expect(stdout).toMatch(/^ok .* containers on ecsbr0 to 127\.0\.0\.1:9000$/m);
        expect(stdout).toMatch(/^note {5}the state file of network up is gone/m);
      });

      test("down --print prints what down runs", () => {
        const { env, log } = logged();
        machine.network(UP);
        lose();
        const printed = machine.network("down --print", env);
        expect(printed).toMatchObject({ exitCode: 0, stderr: "" });
        expect(printed.stdout).toContain("\nsysctl -w net.ipv4.conf.ecsbr0.route_localnet=0\n");
        expect(machine.network("down", env)).toMatchObject({ exitCode: 0, stderr: "" });
        expect(ofIptables(printed.stdout)).toBe(log());
        expect(picture()).toEqual(clean);
      });

      test("down --print prints what down runs where rules stand twice", () => {
        const { env, log } = logged();
        machine.network(UP);
        const twice = ["nat PREROUTING", "filter ECS-LOCAL-INPUT", "raw ECS-LOCAL-GUARD"].map(
          (at) =>
            `iptables -t ${at.replace(" ", " -S ")} | sed -n '/ecs-local/{s/^-A/iptables -t ${at.split(" ")[0]} -A/p}' | sh -e`,
        );
        expect(run(twice.join("\n")).exitCode).toBe(0);
        const printed = machine.network("down --print", env).stdout;
        expect(machine.network("down", env).exitCode).toBe(0);
        expect(printed.match(/ -D ECS-LOCAL-GUARD /g)).toHaveLength(6);
        expect(ofIptables(printed)).toBe(log());
        expect(picture()).toEqual(clean);
      });

      test("down --print refuses as down does where nobody knows whether a bridge was open before", () => {
        machine.sysctl("ecsbr0", 1);
        machine.network(UP);
        lose();
        const [printed, done] = ["down --print", "down"].map((args) => machine.network(args));
        expect(printed).toMatchObject({ exitCode: 1, stdout: "", stderr: done?.stderr });
        expect(done?.stderr).toContain("route_localnet is 1 on ecsbr0");
        machine.sysctl("ecsbr0", 0);
        machine.network("down");
        expect(picture()).toEqual(clean);
      });

      test("up of other bridges refuses as well, and takes one that it names for somebody else's", () => {
        machine.onMachine("ip link add ecsbr1 type bridge");
        machine.sysctl("ecsbr0", 1);
        machine.network(UP);
        lose();
        const standing = picture();
        for (const args of ["up --bridge ecsbr1", "up --bridge ecsbr1 --print", "up --loopback"]) {
          const refused = { exitCode: 1, stderr: expect.stringContaining("route_localnet is 1 on ecsbr0") };
          expect(machine.network(args), args).toMatchObject(refused);
        }
        expect(picture()).toEqual(standing);
        expect(machine.network(UP)).toMatchObject({
          exitCode: 0,
          stderr: expect.stringContaining("stays so after down"),
        });
        expect(machine.network("up --bridge ecsbr1").exitCode).toBe(0);
        machine.network("down");
        expect(machine.sysctls()).toContain("ecsbr0/route_localnet:1");
      });

      test("and the guard and the filter flushed as well, a bridge that is open is not forgotten", () => {
        machine.network(UP);
        lose();
        machine.onMachine("iptables -t raw -F; iptables -t raw -X; iptables -F; iptables -X");
        expect(machine.network("down")).toMatchObject({
          exitCode: 1,
          stderr: expect.stringContaining("route_localnet is 1 on ecsbr0"),
        });
        machine.sysctl("ecsbr0", 0);
        expect(machine.network("down").exitCode).toBe(0);
        expect(picture()).toEqual(clean);
      });

      test("and its bridge gone, up of another bridge and port leaves nothing of the first", () => {
        machine.onMachine("ip link add ecsbr1 type bridge");
        machine.network("up --bridge ecsbr1");
        lose();
        machine.onMachine("ip link del ecsbr1");
        expect(machine.network("status", NO_ENGINE)).toMatchObject({
          exitCode: 1,
          stdout: expect.stringMatching(/^missing {2}the interface ecsbr1, which up was told of, is on this machine$/m),
        });
        expect(machine.network(`${UP} --port 9000`)).toMatchObject({ exitCode: 0, stderr: "" });
        const [rules] = picture();
        expect(rules).not.toMatch(/ecsbr1|51679/);
        machine.network("down");
        expect(picture()).toEqual(clean);
        machine.network(`${UP} --port 9000`);
        expect(picture()[0]).toBe(rules);
      });

      test("and iptables is of the other kind by now, the one that has the rules is used", () => {
        const program = join(machine.bin, "iptables");
        const other = iptables === "iptables-nft" ? "iptables-legacy" : "iptables-nft";
        const tables = () => machine.onMachine("nft list tables; cat /proc/net/ip_tables_names").stdout;
        machine.network(UP);
        lose();
        const before = tables();
        machine.onMachine(`ln -sf $(which ${other}) ${program}`);
        const calls = ["status", UP].map((args) => machine.network(args));
        const after = tables();
        lose();
        const printed = ["up --bridge ecsbr0 --print", "down --print"].map((args) => machine.network(args).stdout);
        const down = machine.network("down");
        machine.onMachine(`ln -sf $(which ${iptables}) ${program}`);
        expect(calls.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
        expect(calls[1]?.stdout).toStartWith("nothing to change");
        // Nor was a table made by asking.
        expect(after).toBe(before);
        expect(printed).toEqual(["", expect.stringContaining(`${iptables} -w 5 -t raw -X ECS-LOCAL-GUARD\n`)]);
        expect(down).toMatchObject({ exitCode: 0, stderr: "" });
        expect(picture()).toEqual(clean);
      });

      test("the address on lo is found by its label, and somebody else's left", () => {
        machine.network("up --loopback");
        lose();
        expect(machine.network("status", NO_ENGINE)).toMatchObject({
          exitCode: 0,
          stdout: expect.stringMatching(/^ok {7}169\.254\.170\.2 is an address of lo$/m),
        });
        expect(machine.network("down --print").stdout).toBe("ip address del 169.254.170.2/32 dev lo\n");
        expect(machine.network("down").stdout).toBe("what network up made is taken away: 1 thing\n");
        const show = () => machine.onMachine("ip -o address show dev lo").stdout;
        expect(show()).not.toContain("169.254.170.2");
        machine.onMachine("ip address add 169.254.170.2/32 dev lo");
        expect(machine.network("down").stdout).toBe("nothing of network up stands\n");
        expect(show()).toContain("169.254.170.2");
      });
    });

    describe("--print", () => {
      test("where a part stands prints what is missing, and a shell makes the whole of it", () => {
        machine.network(UP);
        const standing = picture();
        expect(machine.network(`${UP} --print`)).toMatchObject({
          exitCode: 0,
          stdout: "",
          stderr: "note: nothing to change: all of it stands\n",
        });
        machine.onMachine("iptables -t nat -F ECS-LOCAL-OUTPUT");
        const printed = machine.network(`${UP} --print`).stdout;
        expect(printed.match(/^iptables/gm)).toHaveLength(1);
        expect(run(printed).exitCode).toBe(0);
        expect(picture()).toEqual(standing);
      });

      test("of another bridge and port, run by hand over an up, is undone whole by down", () => {
        machine.onMachine("ip link add ecsbr1 type bridge");
        const before = picture();
        machine.network(UP);
        const printed = machine.network("up --bridge ecsbr1 --port 9000 --print").stdout;
        expect(printed).toContain("\n# what an earlier up made and is not asked for now\n");
        expect(run(printed).exitCode).toBe(0);
        expect(machine.sysctls()).toContain("ecsbr1/route_localnet:1");
        expect(machine.sysctls()).toContain("ecsbr0/route_localnet:0");
        expect(machine.network("down").exitCode).toBe(0);
        expect(picture()).toEqual(before);
      });

      test("of another port, run by hand over an up, is known by status, and undone by up", () => {
        machine.network(UP);
        const standing = picture();
        expect(run(machine.network(`${UP} --port 9000 --print`).stdout).exitCode).toBe(0);
        expect(machine.network("status").stdout).toMatch(
          /^note {5}left over from an earlier up: .*127\.0\.0\.1:9000$/m,
        );
        expect(machine.network(UP)).toMatchObject({ exitCode: 0, stderr: "" });
        expect(picture()).toEqual(standing);
        expect(machine.network(UP).stdout).toStartWith("nothing to change");
      });

      test("of up means what up without options means, whatever an earlier one was told", () => {
        machine.network(UP);
        const [printed, done] = ["up --print", "up"].map((args) => machine.network(args, NO_ENGINE));
        expect(printed).toMatchObject({ exitCode: 1, stdout: "", stderr: done?.stderr });
      });

      test("prints the iptables of the kind that made the rules", () => {
        const program = join(machine.bin, "iptables");
        machine.network(UP);
        const other = iptables === "iptables-nft" ? "iptables-legacy" : "iptables-nft";
        machine.onMachine(`ln -sf $(which ${other}) ${program}`);
        const printed = machine.network("down --print").stdout;
        machine.onMachine(`ln -sf $(which ${iptables}) ${program}`);
        expect(printed).toContain(`${iptables} -w 5 -t raw -X ECS-LOCAL-GUARD\n`);
        expect(printed).not.toContain("iptables -w");
        expect(run(printed).exitCode).toBe(0);
        expect(picture()).toEqual(clean);
      });

      test("of down, run by hand, leaves no state by which down would close what somebody opens later", () => {
        machine.network(UP);
        const printed = machine.network("down --print").stdout;
        expect(printed).toEndWith(`\nrm -f ${FOLDER}/${basename(machine.stateFile)}\n`);
        expect(run(printed)).toMatchObject({ exitCode: 0, stderr: "" });
        expect(machine.network("down --print")).toMatchObject({ exitCode: 0, stdout: "" });
        expect(picture()).toEqual(clean);
        machine.sysctl("ecsbr0", 1);
        expect(machine.network("down").stdout).toBe("nothing of network up stands\n");
        expect(machine.sysctls()).toContain("ecsbr0/route_localnet:1");
      });

      test.skipIf(Bun.which("setpriv") === null)("by a user who may not see the rules says so", () => {
        const asNobody = (args: string) => machine.onMachine(`exec ${AS_NOBODY} "$BINARY" network ${args}`);
        expect(asNobody("down --print")).toMatchObject({
          exitCode: 0,
          stdout: "",
          stderr: expect.stringMatching(/^note: no state file .* root only: run it with sudo\n$/),
        });
        expect(asNobody(`${UP} --print`)).toMatchObject({ exitCode: 0, stderr: "" });
        machine.network(UP);
        const down = asNobody("down --print");
        expect(down.stderr).toMatch(/^note: .* where all of it stands; .* root only: run it with sudo\n$/);
        expect(asNobody(`${UP} --print`).stderr).toMatch(/^note: .* where nothing stands; .* root only/);
        expect(run(down.stdout).exitCode).toBe(0);
        expect(picture()).toEqual(clean);
        expect(existsSync(machine.stateFile)).toBeFalse();
      });
    });

    test("status of another port asks for the bridges that up was told, and no engine", () => {
      machine.network(UP);
      expect(machine.network("status --port 51679", NO_ENGINE)).toMatchObject({ exitCode: 0, stderr: "" });
      expect(machine.network("status --port 9000", NO_ENGINE)).toMatchObject({
        exitCode: 1,
        stdout: expect.stringMatching(/^missing {2}a firewall lets ecsbr0 in to 127\.0\.0\.1:9000$/m),
      });
      expect(machine.network("status --loopback", NO_ENGINE)).toMatchObject({
        exitCode: 1,
        stdout: expect.stringMatching(/^missing {2}169\.254\.170\.2 is an address of lo$/m),
      });
    });

    test("an address that somebody put on lo anew is theirs, and one that up put there in its place is ours", () => {
      const show = () => machine.onMachine("ip -o address show dev lo").stdout;
      const [add, del] = ["add", "del"].map((verb) => `ip address ${verb} 169.254.170.2/32 dev lo`);
      const before = show();
      machine.network("up --loopback");
      machine.onMachine(`${del}; ${add}`);
      expect(machine.network("down --print").stdout).not.toContain("ip address");
      expect(machine.network("down").stdout).toBe("nothing of network up stands\n");
      expect(show()).toContain("169.254.170.2");
      machine.network("up --loopback");
      machine.onMachine(`${del}`);
      machine.network("up --loopback");
      expect(machine.network("down").exitCode).toBe(0);
      expect(show()).toBe(before);
    });

    test("a bridge that went away is missing by status, in words of its own, and down takes away its rules", () => {
      machine.onMachine("ip link add ecsbr1 type bridge");
      machine.network(`${UP} --bridge ecsbr1`);
      machine.onMachine("ip link del ecsbr1");
      const { exitCode, stdout, stderr } = machine.network("status");
      expect([exitCode, stderr]).toEqual([1, ""]);
      expect(stdout.match(/^missing .*$/gm)).toEqual([
        "missing  the interface ecsbr1, which up was told of, is on this machine",
      ]);
      expect(stdout).toMatch(/^1 of \d+ are missing: run network up --bridge ecsbr0$/m);
      expect(machine.network("status --bridge ecsbr1")).toMatchObject({ exitCode: 2 });
      expect(machine.network("down").exitCode).toBe(0);
      expect(picture()).toEqual(clean);
    });

    test("a bridge that was made anew with the same name, and opened by somebody else, stays open", () => {
      machine.onMachine("ip link add ecsbr1 type bridge");
      machine.network("up --bridge ecsbr1");
      machine.onMachine("ip link del ecsbr1 && ip link add ecsbr1 type bridge");
      machine.sysctl("ecsbr1", 1);
      machine.network("down");
      expect(machine.sysctls()).toContain("ecsbr1/route_localnet:1");
      expect(machine.rules()).toBe(clean[0] ?? "");
    });

    describe("what somebody else has in our chains", () => {
      const refused = expect.stringMatching(
        /^ecs-local-endpoints: network up did not make .*; nothing was changed\nhint: take it away with .*; then run this again\n$/,
      );

      test("or leads there stays, with all of ours, until it is taken away as the hint says", () => {
        machine.network(UP);
        machine.onMachine("iptables -I ECS-LOCAL-INPUT -s 10.9.9.9 -j DROP; iptables -A FORWARD -j ECS-LOCAL-INPUT");
        const standing = picture();
        for (const action of ["down", "down --print", UP, `${UP} --print`]) {
          expect(machine.network(action), action).toMatchObject({ exitCode: 1, stdout: "", stderr: refused });
        }
        expect(machine.network("status").stdout).toMatch(
          /^note {5}not of network up.*: ECS-LOCAL-INPUT -s 10\.9\.9\.9\/32 -j DROP \(filter\)$/m,
        );
        expect(picture()).toEqual(standing);
        const hint = /take it away with (.*); then/.exec(machine.network("down").stderr)?.[1] ?? "";
        expect(machine.onMachine(hint).exitCode).toBe(0);
        expect(machine.network("down").exitCode).toBe(0);
        expect(picture()).toEqual(clean);
      });

      test("is told by its real words: a comment hides nothing, runs nothing and accuses nobody", () => {
        machine.network(UP);
        const ran = join(machine.bin, "ran");
        const text = `$(touch ${ran}) --comment ecs-local-endpoints "q" it's a\\b`;
        const innocent = 'iptables -A FORWARD -m comment --comment "before -j ECS-LOCAL-INPUT here"';
        run(`iptables -I ECS-LOCAL-INPUT -m comment --comment ${shellWords([text])} -j DROP\n${innocent} -j ACCEPT`);
        const { stderr } = machine.network("down");
        expect(stderr).toEqual(refused);
        expect(stderr).not.toContain("before -j");
        const hint = /take it away with (.*); then/.exec(stderr)?.[1] ?? "";
        expect(run(hint)).toMatchObject({ exitCode: 0, stderr: "" });
        expect(existsSync(ran)).toBeFalse();
        expect(machine.network("down")).toMatchObject({ exitCode: 0, stderr: "" });
        machine.onMachine("iptables -F FORWARD");
        expect(picture()).toEqual(clean);
      });

      test("is taken away by the iptables of the kind that made the rules", () => {
        const program = join(machine.bin, "iptables");
        const other = iptables === "iptables-nft" ? "iptables-legacy" : "iptables-nft";
        machine.network(UP);
        machine.onMachine("iptables -A ECS-LOCAL-INPUT -s 10.9.9.9 -j DROP");
        machine.onMachine(`ln -sf $(which ${other}) ${program}`);
        const hint = /take it away with (.*); then/.exec(machine.network("down").stderr)?.[1] ?? "";
        const taken = run(hint);
        machine.onMachine(`ln -sf $(which ${iptables}) ${program}`);
        expect(hint).toStartWith(`${iptables} -t filter -D `);
        expect(taken.exitCode).toBe(0);
        expect(machine.network("down").exitCode).toBe(0);
        expect(picture()).toEqual(clean);
      });

      test("because the chain of that name is theirs stays theirs", () => {
        machine.onMachine("iptables -t nat -N ECS-LOCAL-OUTPUT; iptables -t nat -A ECS-LOCAL-OUTPUT -j RETURN");
        const theirs = picture();
        for (const action of [UP, "down"]) {
          expect(machine.network(action)).toMatchObject({ exitCode: 1, stderr: refused });
          expect(picture()).toEqual(theirs);
        }
      });
    });

    test("a rule elsewhere that leads to our chain with our comment is somebody else's, and so is one with two comments", () => {
      machine.network(UP);
      const ours = "-m comment --comment ecs-local-endpoints";
      for (const rule of [
        `FORWARD ${ours} -j ECS-LOCAL-INPUT`,
        `ECS-LOCAL-INPUT ${ours} -m comment --comment theirs -j ACCEPT`,
        'ECS-LOCAL-INPUT -m recent --set --name "a --comment ecs-local-endpoints" -j ACCEPT',
      ]) {
        expect(run(`iptables -A ${rule}`).exitCode).toBe(0);
        const standing = picture();
        const refused = { exitCode: 1, stderr: expect.stringContaining("nothing was changed") };
        expect(machine.network("down"), rule).toMatchObject(refused);
        expect(picture()).toEqual(standing);
        expect(run(`iptables -D ${rule}`).exitCode).toBe(0);
      }
      expect(machine.network("down").exitCode).toBe(0);
      expect(picture()).toEqual(clean);
    });

    test("an up that fails while it takes away an earlier one leaves that one", () => {
      machine.network(UP);
      const standing = [...picture(), readFileSync(machine.stateFile, "utf8")];
      const folder = mkdtempSync(join(machine.bin, "failing-"));
      const script = `#!/bin/sh
        case "$5 $*" in -D*51679*) echo no >&2; exit 3;; esac
        exec ${Bun.which(iptables)} "$@"`;
      writeFileSync(join(folder, "iptables"), script, { mode: 0o755 });
      expect(machine.network(`${UP} --port 9000`, { PATH: `${folder}:${process.env.PATH}` }).exitCode).toBe(1);
      expect([...picture(), readFileSync(machine.stateFile, "utf8")]).toEqual(standing);
      machine.network("down");
      expect(picture()).toEqual(clean);
    });
  });
}
