import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "../../src/commands/doctor/finding.ts";
import { container } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { folder } from "../support/folder.ts";
import { startMachine, whyNoNamespaces } from "../support/netns.ts";
import { network, withNetwork } from "../support/networks.ts";

const BINARY = join(import.meta.dir, "../../dist/ecs-local-endpoints");
const UNPRIVILEGED = "setpriv --reuid=65534 --regid=65534";

const why = whyNoNamespaces("iptables-nft");
if (why !== undefined && process.env.CI === "true") {
  test("doctor on a machine of its own, as CI=true requires", () => expect(why).toBeUndefined());
}
describe.skipIf(why !== undefined)(`doctor on a machine of its own${why ? ` (skipped: ${why})` : ""}`, () => {
  let machine: ReturnType<typeof startMachine>;
  let fake: ReturnType<typeof startFakeEngine>;
  beforeAll(() => {
    machine = startMachine("iptables-nft");
    const shop = network({ name: "shop", subnet: "10.211.1.0/24", gateway: "10.211.1.1" });
    shop.Options = { "com.docker.network.bridge.name": machine.bridge };
    const web = withNetwork(container({ name: "web" }), shop, { ipv4: machine.ADDRESS.client });
    fake = startFakeEngine({ containers: [web], networks: [shop] });
    // Root's environment is not the user's, as with the real one.
    const sudo = '#!/bin/sh\n[ "$1" = -E ] && shift && exec "$@"\nexec env -i PATH="$PATH" HOME=/root "$@"\n';
    writeFileSync(join(machine.bin, "sudo"), sudo, { mode: 0o755 });
  });
  afterAll(async () => {
    machine?.stop();
    await fake?.stop();
  });

  // As by sudo: its user is told what to type with it.
  const run = (args = "", by = "", more: Record<string, string> = { DOCKER_HOST: fake.host }) =>
    machine.later(`exec ${by} "$BINARY" doctor --offline ${args}`, { SUDO_USER: "dev", ...more });
  async function findings(...how: Parameters<typeof run>) {
    const { exitCode, stdout } = await run(`--json ${how[0] ?? ""}`, how[1], how[2]);
    const found = JSON.parse(stdout) as Finding[];
    expect(exitCode).toBe(found.some(({ state }) => state === "problem") ? 1 : 0);
    return found;
  }
  const one = async (check: string, ...how: Parameters<typeof run>) =>
    (await findings(...how)).find((each) => each.check === check);
  /** The command that a remedy ends with. */
  const typed = (found: Finding | undefined) => /(?:run|here|server): (\S.*)$/.exec(found?.remedy ?? "")?.[1] ?? "none";
  const runRemedy = (found: Finding | undefined) => machine.later(typed(found), { DOCKER_HOST: fake.host });

  /** Starts what a remedy names as the server, and waits for it. */
  async function startRemedy(found: Finding | undefined, address: string, port: number) {
    const command = typed(found).replace(/^.* && /, "");
    const server = machine.start(["sh", "-c", `exec ${command}`], { DOCKER_HOST: fake.host, ECS_LOCAL_OFFLINE: "1" });
    for (let tries = 0; machine.fromMachine(address, port) === ""; tries += 1) {
      if (tries > 100) throw new Error(`there is no answer after: ${command}`);
      await Bun.sleep(50);
    }
    return async () => {
      server.kill("SIGKILL");
      await server.exited;
    };
  }
  /** Starts a program that is not our server, and waits for it. */
  async function startOther(address: string, port: number) {
    const script = `Bun.serve({ hostname: "${address}", port: ${port}, fetch: () => new Response("other") })`;
    const other = machine.start([process.execPath, "-e", script]);
    for (let tries = 0; machine.fromMachine(address, port) !== "other"; tries += 1) {
      if (tries > 100) throw new Error("the other process does not answer");
      await Bun.sleep(50);
    }
    return async () => {
      other.kill("SIGKILL");
      await other.exited;
    };
  }

  test("wrong usage is 2, and so is a port that is none", async () => {
    expect((await run("--jsno")).exitCode).toBe(2);
    for (const [args, named] of [
      ["--port 99999", "--port"],
      ["--image busybox", "--start-containers"],
    ] as const) {
      expect(await run(args)).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(named) });
    }
  });

  test("engine (problem): none is found, until DOCKER_HOST is set; a socket of a group, until the user is in it", async () => {
    const none = await one("engine", "", "", {});
    expect(none?.message).toStartWith("No container engine was found; tried unix:///var/run/docker.sock, ");
    expect(none?.remedy).toContain("set DOCKER_HOST");
    chownSync(fake.socketPath, 0, 12_345);
    chmodSync(fake.socketPath, 0o660);
    const refused = await one("engine", "", `${UNPRIVILEGED} --clear-groups`);
    expect(refused?.message).toContain("may not be opened by this user");
    expect(refused).toMatchObject({ state: "problem", remedy: expect.stringContaining("the socket's group") });
    expect(await one("engine", "", `${UNPRIVILEGED} --groups=12345`)).toMatchObject({ state: "ok" });
    chmodSync(fake.socketPath, 0o666);
  }, 30_000);

  test("port (problem): forbidden to the user, until another is chosen as the line says", async () => {
    machine.onMachine("echo 1024 >/proc/sys/net/ipv4/ip_unprivileged_port_start");
    const forbidden = await one("port", "", `${UNPRIVILEGED} --clear-groups`);
    expect(forbidden).toMatchObject({ state: "problem", message: "127.0.0.1:80 is forbidden to this user" });
    const [, flag = "", variable = "", value = ""] =
      /^choose a port above 1023: (--port \d+) or (\w+)=(\d+)$/.exec(forbidden?.remedy ?? "") ?? [];
    const ok = { state: "ok", message: expect.stringContaining("127.0.0.1:51679 is free") };
    expect(await one("port", flag, `${UNPRIVILEGED} --clear-groups`)).toMatchObject(ok);
    const set = { DOCKER_HOST: fake.host, [variable]: value };
    expect(await one("port", "", `${UNPRIVILEGED} --clear-groups`, set)).toMatchObject(ok);
  }, 30_000);

  test("port (problem): on an address that is of another machine, until one of this machine is chosen", async () => {
    const away = await one("port", "--bind 203.0.113.9");
    expect(away).toMatchObject({ state: "problem", message: "203.0.113.9:80 is not an address of this machine" });
    const [flag = ""] = /--bind [\d.]+/.exec(away?.remedy ?? "") ?? [];
    expect(await one("port", flag)).toMatchObject({
      state: "ok",
      message: expect.stringContaining("127.0.0.1:80 is free"),
    });
  }, 30_000);

  test("port (problem): taken by another process, until it stops or another port is chosen", async () => {
    const stop = await startOther("127.0.0.1", 80);
    const taken = await one("port");
    expect(taken?.message).toBe("127.0.0.1:80 is taken by another process");
    expect(taken?.state).toBe("problem");
    const [flag = ""] = /--port \d+/.exec(taken?.remedy ?? "") ?? [];
    expect(await one("port", flag)).toMatchObject({ state: "ok" });
    await stop();
    expect(await one("port")).toMatchObject({ state: "ok", message: expect.stringContaining("80 is free") });
  }, 30_000);

  test("reach (warning), address (warning): no server answers, until both commands of the line are run", async () => {
    const before = await run("--port 51679");
    expect(before.stdout).toMatch(/^warning {2}address .*network up && \S+ --port 51679$/m);
    expect(before.stdout).toMatch(/^warning {2}reach .*shop has no route/m);
    expect(before.stdout).toMatch(/^0 problems, 2 warnings$/m);
    expect(before).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await runRemedy(await one("reach"))).toMatchObject({ exitCode: 0 });
    expect(await one("reach")).toMatchObject({ state: "ok", message: expect.stringContaining("rules for ecsbr0") });
    // What is left to do is not what was done.
    const address = await one("address");
    expect(address).toMatchObject({ state: "warning", remedy: `start our server: ${BINARY} --port 51679` });
    await startRemedy(address, "127.0.0.1", 51679);
    const { exitCode, stdout } = await run();
    // Without --port it is that to which the rules lead.
    expect(stdout).toMatch(/^ok +port +our server .*answers at 127\.0\.0\.1:51679$/m);
    expect(stdout).toMatch(
      /^ok +address +our server .*answers at 169\.254\.170\.2 \(led to port 51679 by network up\)$/m,
    );
    expect(stdout).toMatch(/^0 problems, 0 warnings$/m);
    expect(exitCode).toBe(0);
  }, 30_000);

  test("rules (problem): one is missing, until network up is run with what it was asked before", async () => {
    expect((await machine.networkLater("up --port 51680", { DOCKER_HOST: fake.host })).exitCode).toBe(0);
    machine.onMachine("iptables -t nat -F ECS-LOCAL-PREROUTING");
    const bad = await findings();
    const rules = bad.find(({ check }) => check === "rules");
    expect(rules?.state).toBe("problem");
    expect(bad.find(({ check }) => check === "reach")?.state).toBe("warning");
    expect(await runRemedy(rules)).toMatchObject({ exitCode: 0 });
    expect((await one("rules"))?.state).toBe("ok");
    expect(JSON.parse(readFileSync(machine.stateFile, "utf8"))).toMatchObject({ options: { port: 51680 } });
    await machine.networkLater("up", { DOCKER_HOST: fake.host });
  }, 30_000);

  test("rules (problem): all are missing, until network up is run", async () => {
    for (const table of ["raw", "nat", "filter"])
      machine.onMachine(`iptables -t ${table} -F && iptables -t ${table} -X`);
    machine.sysctl(machine.bridge, 0);
    const bad = await one("rules");
    expect(bad?.message).toStartWith("network up is incomplete: ");
    expect(bad?.state).toBe("problem");
    expect(await runRemedy(bad)).toMatchObject({ exitCode: 0 });
    expect((await one("rules"))?.state).toBe("ok");
  }, 30_000);

  test("rules (warning): iptables fails, until it is mended", async () => {
    const broken = folder("doctor-iptables");
    const real = `case "$1" in --version) exec ${machine.bin}/iptables "$@";; esac`;
    const script = `#!/bin/sh\n${real}\necho no such table >&2\nexit 3\n`;
    writeFileSync(join(broken.path, "iptables"), script, { mode: 0o755 });
    const PATH = `${broken.path}:${machine.bin}:/usr/sbin:/usr/bin:/sbin:/bin`;
    expect(await one("rules", "", "", { DOCKER_HOST: fake.host, PATH })).toEqual({
      ...{ check: "rules", state: "warning" },
      message: "iptables -w 5 -t raw -S failed with 3: no such table",
      remedy: "fix the cause and run this again",
    });
    broken.remove();
    expect((await one("rules"))?.state).toBe("ok");
  }, 30_000);

  test("rules (warning): shown to root only, until doctor is run as the line says", async () => {
    const unseen = await one("rules", "", `${UNPRIVILEGED} --clear-groups`);
    expect(unseen).toMatchObject({ state: "warning", message: expect.stringContaining("only root sees its rules") });
    const { stdout } = await runRemedy(unseen);
    expect(stdout).toMatch(/^ok +rules +network up is complete: (\d+) of \1 exist$/m);
  }, 30_000);

  test("rules (warning): left over of an earlier call, until network up is run", async () => {
    machine.onMachine(
      "ip link add ecsbr1 type bridge && ip addr add 10.211.3.1/24 dev ecsbr1 && ip link set ecsbr1 up",
    );
    const gone = network({ name: "gone", subnet: "10.211.3.0/24", gateway: "10.211.3.1" });
    gone.Options = { "com.docker.network.bridge.name": "ecsbr1" };
    const shop = network({ name: "shop", subnet: "10.211.1.0/24", gateway: "10.211.1.1" });
    shop.Options = { "com.docker.network.bridge.name": machine.bridge };
    const both = startFakeEngine({ networks: [shop, gone] });
    expect((await machine.networkLater("up", { DOCKER_HOST: both.host })).exitCode).toBe(0);
    await both.stop();
    // The engine has that network no more.
    const left = await one("rules");
    expect(left?.message).toContain("left over from network up");
    expect(left?.message).toContain("net.ipv4.conf.ecsbr1.route_localnet is 1");
    expect(left?.state).toBe("warning");
    expect(machine.rules()).toContain("ecsbr1");
    expect(await runRemedy(left)).toMatchObject({ exitCode: 0 });
    expect((await one("rules"))?.state).toBe("ok");
    expect(machine.rules()).not.toContain("ecsbr1");
  }, 30_000);

  test("rules (warning): the state is lost, until network up is run as the line says", async () => {
    expect(machine.network(`up --port 9000 --bridge ${machine.bridge}`).exitCode).toBe(0);
    machine.onMachine("rm /run/ecs-local-endpoints-network/*.json");
    const lost = await one("rules");
    expect(lost).toMatchObject({
      state: "warning",
      message: expect.stringContaining("the state file of network up is missing"),
    });
    expect(typed(lost)).toEndWith(` network up --bridge ${machine.bridge} --port 9000`);
    expect(await runRemedy(lost)).toMatchObject({ exitCode: 0 });
    expect(await one("rules")).toMatchObject({ state: "ok" });
  }, 30_000);

  test("rules (warning): the state is not what network up writes, until it is removed and network down run", async () => {
    writeFileSync(machine.stateFile, "{}");
    const bad = await one("rules");
    expect(bad).toMatchObject({ state: "warning", message: expect.stringContaining("is not what network up writes") });
    expect(bad?.remedy).toStartWith("remove it and run network down");
    machine.onMachine(`rm /run/ecs-local-endpoints-network/*.json`);
    machine.sysctl(machine.bridge, 0);
    expect(machine.network("down").exitCode).toBe(0);
    expect(await one("rules")).toMatchObject({ state: "ok", message: expect.stringContaining("was not run") });
  }, 30_000);

  test("address (problem): another process has it by the rules, until it stops and our server is started", async () => {
    expect((await machine.networkLater("up --port 51681", { DOCKER_HOST: fake.host })).exitCode).toBe(0);
    const stop = await startOther("127.0.0.1", 51681);
    const bad = await one("address");
    expect(bad).toEqual({
      ...{ check: "address", state: "problem" },
      message: "169.254.170.2 (led to port 51681 by network up), port 80, is answered by another program",
      remedy: `see which: sudo ss -ltnp sport = :51681; stop it, and start our server: ${BINARY} --port 51681`,
    });
    await stop();
    const end = await startRemedy(bad, "127.0.0.1", 51681);
    expect(await one("address")).toMatchObject({ state: "ok", message: expect.stringContaining("our server") });
    await end();
    expect(machine.network("down").exitCode).toBe(0);
  }, 30_000);

  test("address (warning): a container has it in silence, until it is stopped and our server is led there", async () => {
    const ecs = network({ name: "ecs", subnet: "169.254.170.0/24", gateway: "169.254.170.1" });
    const silent = withNetwork(container({ name: "a silent one" }), ecs, { ipv4: "169.254.170.2" });
    const engine = startFakeEngine({ containers: [silent], networks: [ecs] });
    const env = { DOCKER_HOST: engine.host };
    expect(await one("address", "", "", env)).toEqual({
      ...{ check: "address", state: "warning" },
      message: "169.254.170.2 (container a silent one), port 80: no answer",
      remedy: "stop it (docker stop 'a silent one'), and run our image at that address",
    });
    await engine.stop(silent.Id);
    engine.add(
      withNetwork(container({ name: "ours", image: "ecs-local-endpoints:dev" }), ecs, { ipv4: "169.254.170.2" }),
    );
    expect(await one("address", "", "", env)).toMatchObject({ state: "ok" });
    await engine.stop();
  }, 30_000);

  test("address (problem): another process has it, until it stops and our server is started as the line says", async () => {
    expect((await machine.networkLater("up --loopback")).exitCode).toBe(0);
    const silent = await one("address");
    expect(silent).toMatchObject({
      ...{ state: "warning", message: "169.254.170.2 (interface lo), port 80: no answer" },
      remedy: `start our server: sudo -E ${BINARY} --bind 169.254.170.2 --port 80`,
    });
    const stop = await startOther("169.254.170.2", 80);
    const bad = await one("address");
    expect(bad?.message).toBe("169.254.170.2 (interface lo), port 80, is answered by another program");
    expect(bad?.state).toBe("problem");
    expect(bad?.remedy).toStartWith("see which: sudo ss -ltnp sport = :80; stop it, and start our server: ");
    await stop();
    const end = await startRemedy(bad, "169.254.170.2", 80);
    expect(await one("address")).toMatchObject({ state: "ok", message: expect.stringContaining("our server") });
    await end();
    expect(machine.network("down").exitCode).toBe(0);
  }, 30_000);

  test("address (problem): somebody beyond the machine has it, until it is led to a server here", async () => {
    const { client } = machine.ADDRESS;
    machine.onMachine(`ip route add 169.254.170.2/32 via ${client} dev ${machine.bridge}`);
    const script = "Bun.serve({ hostname: '169.254.170.2', port: 80, fetch: () => new Response('other') })";
    machine.startInClient([
      "sh",
      "-c",
      `ip addr add 169.254.170.2/32 dev lo && exec "$0" -e "${script}"`,
      process.execPath,
    ]);
    for (let tries = 0; machine.fromMachine("169.254.170.2", 80) !== "other"; tries += 1) {
      if (tries > 100) throw new Error("the other server does not answer");
      await Bun.sleep(50);
    }
    const bad = await one("address");
    expect(bad).toMatchObject({ state: "problem", message: expect.stringContaining("no interface of this machine") });
    expect(await machine.later(typed(bad).replace(/ && .*$/, ""))).toMatchObject({ exitCode: 0 });
    // That of the first server goes on.
    expect(await one("address")).toMatchObject({ state: "ok", message: expect.stringContaining("our server") });
  }, 30_000);
});
