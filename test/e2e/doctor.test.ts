import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Finding } from "../../src/commands/doctor/finding.ts";
import { container } from "../support/containers.ts";
import { describeEngines } from "../support/engines.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { startMachine, whyNoNamespaces } from "../support/netns.ts";
import { network, withNetwork } from "../support/networks.ts";
import { interfaceOf, letPass } from "../support/redirects.ts";
import { note, secret } from "../support/secrets.ts";
import { buildServerImage, removeServerImage } from "../support/server-image.ts";
import { createTaskNetwork } from "../support/task-network.ts";

const BINARY = join(import.meta.dir, "../../dist/ecs-local-endpoints");
const KEY = secret("AKIAOFACONTAINEROFDOCTOR");
const CI = process.env.CI === "true";

const states = (findings: readonly Finding[], check: string) =>
  findings.filter((one) => one.check === check).map(({ state }) => state);

describeEngines("doctor", ({ engine }) => {
  const web = `doc-web-${process.pid}`;
  let image: string;
  let stopLetting = () => {};
  let home: Awaited<ReturnType<typeof createTaskNetwork>>;

  beforeAll(async () => {
    image = await buildServerImage(engine);
    home = await createTaskNetwork(engine);
    const shop = await engine.createNetwork("10.209.1");
    const id = await engine.run({
      ...{ name: `doc-server-${process.pid}`, network: home, address: "169.254.170.2", image, command: ["--offline"] },
      env: ["ECS_LOCAL_BIND_ADDRESS=0.0.0.0"],
      binds: [`${engine.socket}:/var/run/docker.sock`],
    });
    await engine.run({
      ...{ name: web, network: shop },
      env: ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/creds", `AWS_ACCESS_KEY_ID=${KEY}`],
    });
    // A bridge is up, and listed, once a container is on it. That engine makes no rules, and the other's drop what passes.
    if (engine.name === "moby-29") stopLetting = letPass(interfaceOf(home.gateway));
    await engine.run({ name: `doc-app-${process.pid}`, network: home, address: "169.254.170.10" });
    for (let tries = 0; !(await engine.output(id)).includes("listening"); tries += 1) {
      if (tries > 200) throw new Error(`the server does not listen: ${await engine.output(id)}`);
      await Bun.sleep(50);
    }
  }, 120_000);
  afterAll(async () => {
    stopLetting();
    await engine.cleanUp();
    await removeServerImage(engine);
  }, 60_000);

  function doctor(...args: string[]) {
    const env = { PATH: "/usr/bin:/bin", HOME: "/nonexistent", DOCKER_HOST: engine.host };
    const run = Bun.spawnSync([BINARY, "doctor", "--offline", "--json", ...args], { env, timeout: 30_000 });
    const said = note(run.stdout.toString() + run.stderr.toString());
    return { exitCode: run.exitCode, said, findings: JSON.parse(run.stdout.toString()) as Finding[] };
  }

  test("sees the server, the container that hides the endpoint and has no way to it, and no value", async () => {
    const { exitCode, said, findings } = doctor();
    const ours = findings.filter(({ message }) => message.includes(web));
    expect(ours.map(({ check, state }) => `${check} ${state}`)).toEqual(["hidden-endpoint problem", "no-way problem"]);
    expect(states(findings, "engine")).toEqual(["ok"]);
    expect(findings.find(({ check }) => check === "address")?.message).toContain(`container doc-server-${process.pid}`);
    expect(states(findings, "address")).toEqual(["ok"]);
    expect(exitCode).toBe(1);
    expect(said).not.toContain(KEY);
    await engine.connect(home, web);
    const after = doctor().findings.filter(({ message }) => message.includes(web));
    expect(after.map(({ check }) => check)).toEqual(["hidden-endpoint"]);
  }, 60_000);

  for (const [kind, name] of [
    ["our image", () => image],
    ["an image with a shell and nc", () => "lab/busybox:1"],
  ] as const) {
    test(`asks from inside by ${kind}, and removes what asked`, async () => {
      const before = performance.now();
      const { findings, said } = doctor("--start-containers", "--image", name());
      expect(performance.now() - before).toBeLessThan(12_000);
      const reach = findings.find(({ check, message }) => check === "reach" && message.includes(home.name));
      expect(reach).toMatchObject({
        state: "ok",
        message: `a container on ${home.name} gets from 169.254.170.2: credentials yes, metadata yes`,
      });
      expect(said).not.toMatch(/SecretAccessKey|ASIA[A-Z2-7]{16}/);
      const filters = encodeURIComponent('{"label":["com.ecs-local-endpoints.doctor"]}');
      expect(await (await engine.call("GET", `/containers/json?all=1&filters=${filters}`)).json()).toEqual([]);
    }, 60_000);
  }

  test("says how to ask where the image is not there", () => {
    const { findings } = doctor("--start-containers", "--image", "doc-nothing:1");
    const reach = findings.find(({ check, message }) => check === "reach" && message.includes(home.name));
    expect(reach?.message).toContain("no image doc-nothing:1");
    expect(reach?.remedy).toContain("--image");
    expect(reach?.state).toBe("warning");
  }, 60_000);
});

const why = whyNoNamespaces("iptables-nft");
if (why !== undefined && CI) {
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
  });
  afterAll(async () => {
    machine?.stop();
    await fake?.stop();
  });

  const run = (args = "") => machine.later(`exec "$BINARY" doctor --offline ${args}`, { DOCKER_HOST: fake.host });
  async function findings(args = "") {
    const { exitCode, stdout } = await run(`--json ${args}`);
    const found = JSON.parse(stdout) as Finding[];
    expect(exitCode).toBe(found.some(({ state }) => state === "problem") ? 1 : 0);
    return found;
  }

  test("wrong usage is 2, and so is a port that is none", async () => {
    expect((await run("--jsno")).exitCode).toBe(2);
    expect(await run("--port 99999")).toMatchObject({
      exitCode: 2,
      stdout: "",
      stderr: expect.stringContaining("--port"),
    });
  });

  test("nobody at the address is a warning; the rules and the server clear it, and the text says so", async () => {
    const before = await run("--port 51679");
    expect(before.stdout).toMatch(/^warning {2}address .*network up$/m);
    expect(before.stdout).toMatch(/^warning {2}reach .*shop has no way/m);
    expect(before.stdout).toMatch(/^0 problems, 2 warnings$/m);
    expect(before).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await machine.networkLater("up", { DOCKER_HOST: fake.host })).exitCode).toBe(0);
    machine.start([BINARY, "--offline", "--port", "51679"], { DOCKER_HOST: fake.host });
    for (let tries = 0; machine.fromMachine("127.0.0.1", 51679) === ""; tries += 1) {
      if (tries > 100) throw new Error("the server does not answer");
      await Bun.sleep(50);
    }
    const { exitCode, stdout } = await run();
    // Without --port it is that to which the rules lead.
    expect(stdout).toMatch(/^ok +port +our server .*answers at 127\.0\.0\.1:51679$/m);
    expect(stdout).toMatch(/^ok +address +our server .*answers at 169\.254\.170\.2$/m);
    expect(stdout).toMatch(/^ok +reach +a container on shop .*by the rules for ecsbr0$/m);
    expect(stdout).toMatch(/^0 problems, 0 warnings$/m);
    expect(exitCode).toBe(0);
  }, 30_000);

  test("a rule that is missing is a problem, which network up clears", async () => {
    machine.onMachine("iptables -t nat -F ECS-LOCAL-PREROUTING");
    const bad = await findings();
    expect(states(bad, "rules")).toEqual(["problem"]);
    expect(states(bad, "reach")).toEqual(["warning"]);
    expect(bad.find(({ check }) => check === "rules")?.remedy).toContain("network up");
    await machine.networkLater("up", { DOCKER_HOST: fake.host });
    expect(states(await findings(), "rules")).toEqual(["ok"]);
  }, 30_000);

  test("rules that this user may not see are a warning, which sudo clears", async () => {
    const script = `exec setpriv --reuid=65534 --regid=65534 --clear-groups "$BINARY" doctor --offline --json`;
    const { stdout } = await machine.later(script, { DOCKER_HOST: fake.host });
    const rules = (JSON.parse(stdout) as Finding[]).find(({ check }) => check === "rules");
    expect(rules?.message).toContain("shown to root only");
    expect(rules).toMatchObject({ state: "warning", remedy: "run doctor with sudo to see them" });
  }, 30_000);

  test("another process at the address is a problem that names it, until it stops", async () => {
    expect(machine.network("down").exitCode).toBe(0);
    machine.onMachine("ip address add 169.254.170.2/32 dev lo");
    const script = "Bun.serve({ hostname: '169.254.170.2', port: 80, fetch: () => new Response('other') })";
    const other = machine.start([process.execPath, "-e", script.replaceAll("'", '"')]);
    for (let tries = 0; machine.fromMachine("169.254.170.2", 80) !== "other"; tries += 1) {
      if (tries > 100) throw new Error("the other process does not answer");
      await Bun.sleep(50);
    }
    const bad = (await findings()).find(({ check }) => check === "address");
    expect(bad?.message).toMatch(/169\.254\.170\.2 \(interface lo\), port 80, is answered by bun\S* \(process \d+\)/);
    expect(bad).toMatchObject({ state: "problem", remedy: expect.stringContaining("stop bun") });
    other.kill("SIGKILL");
    await other.exited;
    expect(states(await findings(), "address")).toEqual(["warning"]);
  }, 30_000);
});
