import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { runBinary } from "../support/binary.ts";
import { container } from "../support/containers.ts";
import { describeEngines } from "../support/engines.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { startMachine, whyNoNamespaces } from "../support/netns.ts";
import { network, withNetwork } from "../support/networks.ts";

const TASK_ADDRESS = "169.254.170.2";
const canBeNobody = process.geteuid?.() === 0 && Bun.which("setpriv") !== null;
const IPTABLES = "iptables-nft";
const why = whyNoNamespaces(IPTABLES);

if (why !== undefined && process.env.CI === "true") {
  test("network on a machine of namespaces, as CI=true requires", () => expect(why).toBeUndefined());
}

describe.skipIf(why !== undefined)(`network on a machine of namespaces${why ? ` (skipped: ${why})` : ""}`, () => {
  let machine: ReturnType<typeof startMachine>;
  beforeAll(() => {
    machine = startMachine(IPTABLES);
  });
  afterAll(() => machine?.stop());

  test("without --bridge the engine's bridges on this machine are set up, and the others named with the reason", async () => {
    const subnet = { subnet: "10.211.1.0/24", gateway: "10.211.1.1" };
    const here = {
      ...network({ name: "shop", ...subnet }),
      Options: { "com.docker.network.bridge.name": machine.bridge },
    };
    const elsewhere = network({ name: "elsewhere", subnet: "172.40.1.0/24", gateway: "172.40.1.1" });
    const own = network({ name: "creds", subnet: "169.254.170.0/24", gateway: "169.254.170.1" });
    const engine = startFakeEngine({ networks: [here, elsewhere, own] });
    const env = { DOCKER_HOST: engine.host };
    const { exitCode, stdout, stderr } = await machine.networkLater("up", env);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("the containers on ecsbr0\n");
    expect(stderr).toMatch(
      /^note: the network creds is left out: 169\.254\.170\.2 is one of its own addresses.*\n.*elsewhere/,
    );
    expect(machine.rules()).toContain("-i ecsbr0 -p tcp");
    expect((await machine.networkLater("status", env)).exitCode).toBe(0);
    // A network that came later is missing until up is run again.
    machine.onMachine("ip link add ecsbr1 type bridge && ip addr add 172.40.2.1/24 dev ecsbr1");
    engine.networks.set("later", {
      ...network({ name: "later", subnet: "172.40.2.0/24", gateway: "172.40.2.1" }),
      Options: { "com.docker.network.bridge.name": "ecsbr1" },
    });
    expect(await machine.networkLater("status", env)).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/^missing {2}net\.ipv4\.conf\.ecsbr1\.route_localnet is 1$/m),
    });
    await engine.stop();
    machine.network("down");
    machine.onMachine("ip link del ecsbr1");
  });

  test("an engine that names every interface, a link, or another machine's bridge opens none of them", async () => {
    const sysctls = machine.sysctls();
    const subnet = { subnet: "10.211.1.0/24", gateway: "10.211.1.1" };
    const called = (name: string, bridge: string, at = subnet) => ({
      ...network({ name, ...at }),
      Options: { "com.docker.network.bridge.name": bridge },
    });
    const networks = ["all", "default", "lo", "ecsbr0"].map((name) => called(name, name));
    networks.push(called("lan", "lan0", { subnet: "10.211.2.0/24", gateway: machine.ADDRESS.machineOnLink }));
    const engine = startFakeEngine({ networks });
    const env = { DOCKER_HOST: engine.host };
    const { exitCode, stdout, stderr } = await machine.networkLater("up", env);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("the containers on ecsbr0\n");
    expect(stderr.match(/'(all|default|lo)' cannot be the name of a bridge/g)).toHaveLength(3);
    expect(stderr).toContain("the network lan is left out: lan0 is not a bridge on this machine\n");
    expect(machine.sysctls()).toBe(sysctls.replace("ecsbr0/route_localnet:0", "ecsbr0/route_localnet:1"));
    machine.network("down");
    engine.networks.clear();
    engine.networks.set("remote", called("remote", "ecsbr0", { subnet: "10.212.1.0/24", gateway: "10.212.1.1" }));
    expect(await machine.networkLater("up", env)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("ecsbr0 of this machine has no address 10.212.1.1"),
    });
    expect(machine.sysctls()).toBe(sysctls);
    await engine.stop();
  });

  test("where the engine cannot be asked, up changes nothing and says so", () => {
    const rules = machine.rules();
    const { exitCode, stderr } = machine.network("up", { DOCKER_HOST: "unix:///nonexistent.sock" });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^ecs-local-endpoints: .*\/nonexistent\.sock/);
    expect(machine.rules()).toBe(rules);
  });

  test("--loopback gives lo the address, for a server that listens on it, without a rule", async () => {
    const [rules, addresses] = [machine.rules(), machine.onMachine("ip -o address show dev lo").stdout];
    expect(machine.network("status --loopback").exitCode).toBe(1);
    expect(machine.network("up --loopback")).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining("every link"),
    });
    const shop = network({ name: "shop", subnet: "10.211.1.0/24", gateway: "10.211.1.1" });
    const app = withNetwork(container({ name: "app" }), shop, { ipv4: machine.ADDRESS.client });
    const engine = startFakeEngine({ networks: [shop], containers: [app] });
    const server = machine.start(
      [join(import.meta.dir, "../../dist/ecs-local-endpoints"), "--offline", "--bind", TASK_ADDRESS, "--port", "80"],
      { DOCKER_HOST: engine.host },
    );
    for (let tries = 0; !(await machine.askLater("client", TASK_ADDRESS, 80)).includes("AccessKeyId"); tries += 1) {
      if (tries > 50) throw new Error("the server does not answer the container");
      await Bun.sleep(50);
    }
    expect(await machine.askLater("neighbour", TASK_ADDRESS, 80)).toContain(
      "neither this machine nor a running container",
    );
    server.kill("SIGKILL");
    await engine.stop();
    expect(machine.rules()).toBe(rules);
    expect(machine.network("status")).toMatchObject({
      exitCode: 0,
      stdout: "ok       169.254.170.2 is an address of lo\ncomplete\n",
    });
    expect(machine.network("up --loopback").stdout).toContain("nothing to change");
    expect(machine.network("down").exitCode).toBe(0);
    expect(machine.onMachine("ip -o address show dev lo").stdout).toBe(addresses);
  }, 20_000);

  test("the rules take the place of the address, and the address that of the rules", () => {
    machine.network("up --loopback");
    machine.network("up --bridge ecsbr0");
    expect(machine.onMachine("ip -o address show dev lo").stdout).not.toContain(TASK_ADDRESS);
    machine.network("up --loopback");
    expect(machine.rules()).not.toContain("ECS-LOCAL");
    machine.network("down");
  });

  describe("where there is no iptables", () => {
    const hide = `for one in iptables-nft iptables-legacy; do mount --bind /dev/null "$(readlink -f "$(which $one)")"; done`;
    const without = (args: string) => machine.onMachine(`${hide} 2>/dev/null; exec "$BINARY" network ${args}`);

    test("up says so in one sentence, with both ways out", () => {
      const { exitCode, stderr } = without("up --bridge ecsbr0");
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(
        /^ecs-local-endpoints: there is no iptables .*\nhint: install it, or run: network up --loopback, .*--bind 169\.254\.170\.2 --port 80\n$/,
      );
    });
    test("up --loopback, status and down do without", () => {
      expect(without("up --loopback").exitCode).toBe(0);
      expect(without("status").exitCode).toBe(0);
      expect(without("down").exitCode).toBe(0);
      expect(without("status --bridge ecsbr0").exitCode).toBe(1);
    });
    test("down takes away the address, though there was one at the time of up", () => {
      machine.network("up --loopback");
      expect(without("down")).toMatchObject({ exitCode: 0, stderr: "" });
    });
  });

  test("down uses the iptables that up used, though another kind has its name by now", () => {
    const rules = machine.rules();
    machine.network("up --bridge ecsbr0");
    const other = whyNoNamespaces("iptables-legacy") === undefined ? "iptables-legacy" : IPTABLES;
    machine.onMachine(`ln -sf $(which ${other}) ${machine.bin}/iptables`);
    expect(machine.network("status").exitCode).toBe(0);
    expect(machine.network("down").exitCode).toBe(0);
    machine.onMachine(`ln -sf $(which ${IPTABLES}) ${machine.bin}/iptables`);
    expect(machine.rules()).toBe(rules);
  });

  test("what docs/network.md gives to undo by hand undoes all", () => {
    const page = readFileSync(join(import.meta.dir, "../../docs/network.md"), "utf8");
    const commands = page.slice(page.indexOf("## Undo by hand")).match(/^ {4}.*$/gm) ?? [];
    const clean = [machine.rules(), machine.sysctls()];
    machine.network("up --bridge ecsbr0");
    writeFileSync(join(machine.bin, "commands"), commands.join("\n").replaceAll("docker0", "ecsbr0"));
    expect(machine.onMachine(`sh -e ${machine.bin}/commands`)).toMatchObject({ exitCode: 0, stderr: "" });
    expect([machine.rules(), machine.sysctls()]).toEqual(clean);
    expect(machine.network("down").stdout).toBe("nothing of network up exists\n");
  });

  test("a state file that is not ours is refused by name, and nothing is changed", () => {
    machine.network("up --bridge ecsbr0");
    const [rules, state] = [machine.rules(), readFileSync(machine.stateFile, "utf8")];
    writeFileSync(machine.stateFile, state.replace('"ecsbr0"', '"../../../x"'));
    for (const action of ["up --bridge ecsbr0", "down", "status"]) {
      const { exitCode, stderr } = machine.network(action);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(".json is not what network up writes")]);
    }
    expect(machine.rules()).toBe(rules);
    writeFileSync(machine.stateFile, state);
    machine.network("down");
  });

  test("a folder that somebody else can write to is refused, and nothing is changed or followed", () => {
    const before = [machine.rules(), machine.sysctls()];
    const folder = "/run/ecs-local-endpoints-network";
    const state = `${folder}/${basename(machine.stateFile)}`;
    machine.onMachine(`echo precious >/run/victim && rm -rf ${folder} && mkdir ${folder} && chown 65534 ${folder}
      ln -s /run/victim ${state}.new; ln -s /run/victim ${folder}/lock`);
    for (const action of ["up --bridge ecsbr0", "down", "status"]) {
      const { exitCode, stderr } = machine.network(action);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`${folder} belongs to the user 65534`)]);
      expect(stderr).toContain(`\nhint: remove it (rm -r ${folder})`);
    }
    expect(machine.onMachine("cat /run/victim").stdout).toBe("precious\n");
    expect([machine.rules(), machine.sysctls()]).toEqual(before);
    machine.onMachine(`rm -r ${folder}`);
    // What belongs to the server, as a unit with RuntimeDirectory makes it, is of no account.
    machine.onMachine("mkdir /run/ecs-local-endpoints && chown 65534 /run/ecs-local-endpoints");
    expect(machine.network("up --bridge ecsbr0").exitCode).toBe(0);
    expect(machine.onMachine("ls /run/ecs-local-endpoints").stdout).toBe("");
    expect(machine.network("down").exitCode).toBe(0);
  });

  test("a table that iptables cannot list, because nft wrote to it, changes nothing until that is removed", () => {
    machine.network("up --bridge ecsbr0");
    const [before, state] = [
      machine.onMachine("nft -a -s list ruleset").stdout,
      readFileSync(machine.stateFile, "utf8"),
    ];
    expect(machine.onMachine("nft add chain ip filter THEIRS; nft add rule ip filter THEIRS reject").exitCode).toBe(0);
    const unreadable = expect.stringMatching(/table `filter' is incompatible.*\nhint: remove what nft put there .*\n$/);
    for (const action of ["down", "up --bridge lan0", "status"]) {
      expect(machine.network(action), action).toMatchObject({ exitCode: 1, stdout: "", stderr: unreadable });
    }
    machine.onMachine("nft flush chain ip filter THEIRS; nft delete chain ip filter THEIRS");
    expect(machine.onMachine("nft -a -s list ruleset").stdout.length).toBe(before.length);
    expect(readFileSync(machine.stateFile, "utf8")).toBe(state);
    expect(machine.network("down")).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("an interface that is not a bridge is set up with a warning; one that is not there is wrong usage", () => {
    expect(machine.network("up --bridge lan0")).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining("lan0 is not a bridge"),
    });
    machine.network("down");
    expect(machine.network("up --bridge nope0")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("'nope0'"),
    });
  });
});

const unprivileged = ["--reuid=65534", "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
for (const action of ["up", "down", "status"]) {
  const title = `network ${action} by another user than root says that it takes root, and how to get it`;
  test.skipIf(!canBeNobody)(`${title}${canBeNobody ? "" : " (skipped: needs root and setpriv)"}`, () => {
    const { exitCode, stderr } = runBinary(["network", action], {}, ["setpriv", ...unprivileged]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^ecs-local-endpoints: network \w+ needs root\nhint: run it with sudo.*\n$/);
  });
}

const verifier = Bun.which("systemd-analyze");
test.skipIf(verifier === null)(
  `the unit is one that systemd takes${verifier ? "" : " (skipped: needs systemd-analyze)"}`,
  () => {
    // systemd looks for the program: its name must come out as it is.
    const folder = mkdtempSync(join(tmpdir(), "unit-"));
    const program = join(folder, "a $b 100%");
    copyFileSync(join(import.meta.dir, "../../dist/ecs-local-endpoints"), program);
    const made = Bun.spawnSync([program, "network", "up", "--print-unit", "--bridge", "docker0"], {
      env: { DOCKER_HOST: "unix:///run/a b.sock" },
      timeout: 20_000,
    });
    expect(made.exitCode).toBe(0);
    const stdout = made.stdout.toString();
    expect(stdout).toContain("a $b 100%%");
    const unit = join(folder, "ecs-local-endpoints-network.service");
    writeFileSync(unit, stdout);
    const { stderr } = Bun.spawnSync([verifier ?? "", "verify", "--man=no", unit], { timeout: 20_000 });
    rmSync(folder, { recursive: true });
    expect(
      stderr
        .toString()
        .split("\n")
        .filter((line) => line.includes("ecs-local-endpoints")),
    ).toEqual([]);
  },
  30_000,
);

describeEngines("network up --print", ({ engine, freeSubnet }) => {
  test("names the bridge of a network, changes nothing, and takes no root", async () => {
    const made = await engine.createNetwork(freeSubnet());
    // Podman makes the bridge when a container starts.
    await engine.run({ name: `print-${process.pid}`, network: made });
    const bridge = Bun.spawnSync(["ip", "-o", "-4", "address", "show", "to", `${made.gateway}/32`])
      .stdout.toString()
      .split(/\s+/)[1];
    const { exitCode, stdout } = runBinary(["network", "up", "--print"], { DOCKER_HOST: engine.host });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`\nsysctl -w net.ipv4.conf.${bridge}.route_localnet=1\n`);
    expect(stdout).toContain(` -d 169.254.170.2/32 -i ${bridge} `);
    await engine.cleanUp();
  }, 60_000);
});
