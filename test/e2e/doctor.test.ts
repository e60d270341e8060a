import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "../../src/commands/doctor/finding.ts";
import { describeEngines } from "../support/engines.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { folder } from "../support/folder.ts";
import { freePort } from "../support/free-port.ts";
import { interfaceOf, letPass } from "../support/redirects.ts";
import { note, secret } from "../support/secrets.ts";
import { buildServerImage, removeServerImage } from "../support/server-image.ts";
import { createTaskNetwork } from "../support/task-network.ts";

const BINARY = join(import.meta.dir, "../../dist/ecs-local-endpoints");
const KEY = secret("AKIAOFACONTAINEROFDOCTOR");
const ENV = { PATH: "/usr/bin:/bin", HOME: "/nonexistent" };
const ASKERS = `/containers/json?all=1&filters=${encodeURIComponent('{"name":["ecs-local-doctor-"]}')}`;

const states = (findings: readonly Finding[], check: string) =>
  findings.filter((one) => one.check === check).map(({ state }) => state);

describeEngines("doctor", ({ engine }) => {
  const [server, web] = [`wdoc-server-${process.pid}`, `wdoc-web-${process.pid}`];
  const cli = engine.name === "podman" ? "podman" : "docker";
  let image: string;
  let stopLetting = () => {};
  let home: Awaited<ReturnType<typeof createTaskNetwork>>;

  beforeAll(async () => {
    image = await buildServerImage(engine);
  }, 120_000);
  afterAll(async () => {
    stopLetting();
    await engine.cleanUp();
    await removeServerImage(engine);
  }, 60_000);

  async function doctor(...args: string[]) {
    const command = [BINARY, "doctor", "--offline", "--json", ...args];
    // This process has to answer meanwhile where it is the engine of a server.
    const run = Bun.spawn(command, { env: { ...ENV, DOCKER_HOST: engine.host }, stdout: "pipe", stderr: "pipe" });
    const [stdout, stderr, exitCode] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
    return { exitCode, said: note(stdout + stderr), findings: JSON.parse(stdout) as Finding[] };
  }
  const askers = async () => (await (await engine.call("GET", ASKERS)).json()) as { State: string }[];
  /** What it finds of our own network by asking from inside. */
  async function reach(...args: string[]) {
    const { findings } = await doctor("--start-containers", "--image", image, ...args);
    const found = findings.find(({ check, message }) => check === "reach" && message.includes(home.name));
    return { state: found?.state, message: found?.message ?? "", remedy: found?.remedy ?? "" };
  }

  /** With Podman the kernel would go on for up to a minute to send to the hardware address of who had it before. */
  const forgetAddress = () => Bun.spawnSync(["ip", "neigh", "flush", "to", "169.254.170.2"]);

  /** Starts our server, in the place of another where there is one. */
  async function serve(how: { command?: string[]; env?: string[]; socket?: string } = {}) {
    await engine.remove(server).catch(() => {});
    const { command = ["--offline"], env = [], socket = engine.socket } = how;
    const id = await engine.run({
      ...{ name: server, network: home, address: "169.254.170.2", image, command },
      env: ["ECS_LOCAL_BIND_ADDRESS=0.0.0.0", "AWS_EC2_METADATA_DISABLED=true", ...env],
      binds: socket === "" ? [] : [`${socket}:/var/run/docker.sock`],
    });
    for (let tries = 0; !(await engine.output(id)).includes("listening"); tries += 1) {
      if (tries > 200) throw new Error(`the server does not listen: ${await engine.output(id)}`);
      await Bun.sleep(50);
    }
    forgetAddress();
  }
  const ok = {
    state: "ok",
    message: expect.stringMatching(/gets from 169\.254\.170\.2: credentials yes, metadata yes$/),
  };

  test("subnets (problem): a network has its addresses, until it is removed and our own made", async () => {
    const other = await createTaskNetwork(engine, 25);
    const { findings } = await doctor();
    const wrong = findings.find(({ check, message }) => check === "subnets" && message.includes(other.name));
    expect(wrong?.state).toBe("problem");
    expect(wrong?.message).toContain("169.254.170.0/25");
    expect(wrong?.remedy).toContain(`: ${cli} network rm ${other.name}, `);
    await engine.call("DELETE", `/networks/${other.name}`);
    home = await createTaskNetwork(engine);
    expect(states((await doctor()).findings, "subnets")).toEqual(["ok"]);
    // A bridge is up, and listed, once a container is on it. That engine makes no rules, and the other's drop what passes.
    await engine.run({ name: `wdoc-app-${process.pid}`, network: home, address: "169.254.170.10" });
    if (engine.name === "moby-29") stopLetting = letPass(interfaceOf(home.gateway));
  }, 150_000);

  // That one publishes by rules, of which it makes none here, and has no proxy.
  if (engine.name !== "moby-29")
    test("port (problem): a container publishes it, until that is stopped", async () => {
      const port = String(freePort());
      const name = `wdoc-published-${process.pid}`;
      await engine.run({ name, network: home, publish: { "80/tcp": { HostIp: "127.0.0.1", HostPort: port } } });
      const bad = (await doctor("--port", port)).findings.find(({ check }) => check === "port");
      expect(bad?.state).toBe("problem");
      expect(bad?.remedy).toStartWith(`see which: sudo ss -ltnp sport = :${port} (docker-proxy or conmon: `);
      await engine.call("POST", `/containers/${name}/stop?t=0`);
      expect(states((await doctor("--port", port)).findings, "port")).toEqual(["ok"]);
      await engine.remove(name);
    }, 60_000);

  test("address (problem), reach (problem): another container has it, until it is stopped and ours started", async () => {
    const answer = "printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nhi'";
    const name = `wdoc-other-${process.pid}`;
    const command = ["nc", "-ll", "-p", "80", "-e", "sh", "-c", `read line; ${answer}; sleep 1`];
    await engine.run({ name, network: home, address: "169.254.170.2", command });
    forgetAddress();
    const said = () => fetch("http://169.254.170.2/", { signal: AbortSignal.timeout(500) }).then((one) => one.text());
    for (let tries = 0; (await said().catch(() => "")) !== "hi"; tries += 1) {
      if (tries > 100) throw new Error("the other server does not answer");
      await Bun.sleep(50);
    }
    const { findings } = await doctor();
    const bad = findings.find(({ check }) => check === "address");
    expect(bad?.message).toContain(`(container ${name})`);
    expect(bad?.state).toBe("problem");
    expect(bad?.remedy).toStartWith(`stop it (${cli} stop ${name}), and run our image`);
    const inside = await reach();
    expect(inside.state).toBe("problem");
    expect(inside.message).toEndWith("by another program");
    expect(inside.remedy).toBe("do what address above says");
    await engine.call("POST", `/containers/${name}/stop?t=0`);
    await engine.remove(name);
    await serve();
    expect(states((await doctor()).findings, "address")).toEqual(["ok"]);
    expect(await reach()).toMatchObject(ok);
  }, 90_000);

  test("address (problem): our container refuses port 80, until its server listens there", async () => {
    await serve({ env: ["ECS_LOCAL_METADATA_PORT=51679"] });
    const ask = () => fetch("http://169.254.170.2/", { signal: AbortSignal.timeout(500) });
    for (let tries = 0; (await ask().catch(({ code }) => code)) !== "ECONNREFUSED"; tries += 1) {
      if (tries > 40) throw new Error("the container does not refuse");
      await Bun.sleep(50);
    }
    const bad = (await doctor()).findings.find(({ check }) => check === "address");
    expect(bad?.message).toBe(
      `169.254.170.2 (container ${server}) has our image, which refuses port 80: its server does not listen there`,
    );
    expect(bad?.state).toBe("problem");
    expect(bad?.remedy).toContain("without --port, --bind, ECS_LOCAL_METADATA_PORT and ECS_LOCAL_BIND_ADDRESS");
    const [, logs = ""] = /\((.+) shows its port\)$/.exec(bad?.remedy ?? "") ?? [];
    expect(logs).toBe(`${cli} logs ${server}`);
    expect(await engine.output(server)).toContain("port=51679");
    await serve();
    expect(states((await doctor()).findings, "address")).toEqual(["ok"]);
  }, 90_000);

  test("reach (problem): there is a way and no answer, until our server runs", async () => {
    await engine.remove(server);
    const bad = await reach();
    expect(bad.state).toBe("problem");
    expect(bad.message).toEndWith("got no answer from 169.254.170.2, though it is the network of that address");
    expect(bad.remedy).toStartWith("check that our server runs");
    await serve();
    expect(await reach()).toMatchObject(ok);
  }, 90_000);

  test("reach (problem): the answer is a refusal, until what it says is done", async () => {
    await serve({ command: [] });
    const none = await reach();
    expect(none.state).toBe("problem");
    expect(none.message).toContain("credentials 400 (no AWS identity: tried AWS_ACCESS_KEY_ID");
    expect(none.message).toContain("; set AWS_PROFILE to a profile that works");
    expect(none.message).toContain("or use --offline)");
    expect(none.remedy).toBe(
      "do what that answer says after its semicolon; docs/errors.md and docs/security.md have more",
    );
    await serve({ command: ["--offline"] });
    expect(await reach()).toMatchObject(ok);
  }, 90_000);

  test("reach (problem), reach (warning): the server asks another engine, until the network may ask and it asks ours", async () => {
    const another = startFakeEngine();
    try {
      await serve({ socket: another.socketPath });
      const refused = await reach();
      expect(refused.state).toBe("problem");
      expect(refused.message).toMatch(/credentials 403 \(.*ECS_LOCAL_ALLOWED_NETWORKS, as in 169\.254\.170\.\d+\/32\)/);
      await serve({ socket: another.socketPath, env: ["ECS_LOCAL_ALLOWED_NETWORKS=169.254.170.0/24"] });
      const half = await reach();
      expect(half.state).toBe("warning");
      expect(half.message).toMatch(/credentials yes, metadata \d+ \(/);
      expect(half.remedy).toContain("do what that answer says");
      await serve();
      expect(await reach()).toMatchObject(ok);
    } finally {
      await another.stop();
    }
  }, 90_000);

  test("reach (warning): a token is asked for, which doctor has not, until none is", async () => {
    await serve({ env: [`ECS_LOCAL_AUTH_TOKEN=${secret("token-of-the-doctors-server")}`] });
    const asked = await reach();
    expect(asked.state).toBe("warning");
    expect(asked.message).toContain("credentials 401 (");
    expect(asked.remedy).toContain("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    await serve();
    expect(await reach()).toMatchObject(ok);
  }, 90_000);

  test("no-route (problem), hidden-endpoint (problem): of a real container, no value of which is shown", async () => {
    const shop = await engine.createNetwork("10.61.1");
    const relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/creds";
    await engine.run({ name: web, network: shop, env: [relative, `AWS_ACCESS_KEY_ID=${KEY}`] });
    const { exitCode, said, findings } = await doctor();
    const found = findings.filter(({ message }) => message.includes(web));
    expect(found.map(({ check, state }) => `${check} ${state}`)).toEqual([
      "hidden-endpoint problem",
      "no-route problem",
    ]);
    expect(found[1]?.remedy).toStartWith(`run: ${cli} network connect ${home.name} ${web}`);
    expect(states(findings, "engine")).toEqual(["ok"]);
    expect(findings.find(({ check }) => check === "address")?.message).toContain(`container ${server}`);
    expect(exitCode).toBe(1);
    expect(said).not.toContain(KEY);
    await engine.connect(home, web);
    const after = (await doctor()).findings.filter(({ message }) => message.includes(web));
    expect(after.map(({ check }) => check)).toEqual(["hidden-endpoint"]);
    expect(after[0]?.remedy).toBe("remove AWS_ACCESS_KEY_ID from the container's environment, and make it again");
    await engine.remove(web);
    await engine.run({ name: web, network: home, env: [relative] });
    expect((await doctor()).findings.filter(({ message }) => message.includes(web))).toEqual([]);
  }, 90_000);

  test("reach (warning): no way and no answer, until the container is on our container's network", async () => {
    const name = `${home.name}-closed`;
    await engine.define({
      ...{ Name: name, Driver: "bridge", Internal: true },
      IPAM: { Driver: "default", Config: [{ Subnet: "10.61.3.0/24", Gateway: "10.61.3.1" }] },
    });
    const closed = await engine.run({ name: `wdoc-closed-${process.pid}`, network: { name, gateway: "10.61.3.1" } });
    const found = async () =>
      (await doctor("--start-containers", "--image", image)).findings.filter(({ message }) => message.includes(name));
    const said = `a container on ${name} got no answer from 169.254.170.2`;
    const remedy = `put it on the network of our container: ${cli} network connect ${home.name} <container>`;
    expect(await found()).toEqual([{ check: "reach", state: "warning", message: said, remedy }]);
    await engine.connect(home, closed);
    expect(await found()).toEqual([]);
    await engine.remove(closed);
  }, 60_000);

  test("says nothing of the machine in a container that it cannot see from there", async () => {
    const shop = await engine.createNetwork("10.61.2");
    const hosty = await engine.create(`wdoc-hosty-${process.pid}`, {
      Env: ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/creds"],
      HostConfig: { NetworkMode: "host" },
    });
    await engine.start(hosty);
    const id = await engine.run({
      ...{ name: `wdoc-inside-${process.pid}`, network: shop, image, command: ["doctor", "--offline", "--json"] },
      binds: [`${engine.socket}:/var/run/docker.sock`],
    });
    await engine.wait(id);
    const findings = JSON.parse(note(await engine.output(id))) as Finding[];
    const rules = findings.find(({ check }) => check === "rules");
    expect(rules).toMatchObject({ state: "ok", message: expect.stringContaining("from inside a container") });
    // It is on the machine, which our container's bridge leads there, though this container is not.
    expect(findings.filter(({ check, message }) => check === "no-route" && message.includes("hosty"))).toEqual([]);
    expect(findings.find(({ check }) => check === "port")?.message).toContain(":80 is free");
  }, 60_000);

  test("--start-containers leaves no container behind, and shows no credentials", async () => {
    const { said } = await doctor("--start-containers", "--image", image);
    expect(said).not.toMatch(/SecretAccessKey|ASIA[A-Z2-7]{16}/);
    // Docker lists it until its removal ends.
    for (let tries = 0; (await askers()).length > 0 && tries < 100; tries += 1) await Bun.sleep(50);
    expect(await askers()).toEqual([]);
  }, 60_000);

  test("reach (warning): the image that asks is not there, until one is named that is", async () => {
    const missing = await reach("--image", "wdoc-nothing:1");
    expect(missing.state).toBe("warning");
    expect(missing.message).toContain("no image wdoc-nothing:1");
    expect(missing.remedy).toStartWith("build it with ./scripts/image, or name the server's image: --image NAME");
    expect(await reach("--image", image)).toMatchObject(ok);
  }, 60_000);

  for (const [name, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    // How soon is in doctor-interrupt.test.ts: a real engine takes its time to remove a container.
    test(`${name} ends it, with the credential_process and the containers that it started`, async () => {
      const files = folder("doctor-signal");
      const script = `#!/bin/sh\necho $$ >${files.path}/pid\nsleep 60 & echo $! >${files.path}/child\nwait\n`;
      writeFileSync(join(files.path, "hang"), script, { mode: 0o755 });
      files.write("config", `[profile dev]\ncredential_process = ${files.path}/hang\n`);
      // A server that accepts and says nothing: what asks waits for it.
      await engine.remove(server).catch(() => {});
      const silent = ["sh", "-c", "nc -ll -p 80 -e sleep 600"];
      await engine.run({ name: server, network: home, address: "169.254.170.2", command: silent });
      const env = { ...ENV, DOCKER_HOST: engine.host, AWS_PROFILE: "dev", AWS_CONFIG_FILE: join(files.path, "config") };
      const command = [BINARY, "doctor", "--json", "--start-containers", "--image", image];
      const run = Bun.spawn(command, { env, stdout: "pipe", stderr: "pipe" });
      try {
        const started = performance.now();
        while (!(await askers()).some(({ State }) => State === "running")) {
          if (run.exitCode !== null || performance.now() - started > 30_000)
            throw new Error("there is no request from inside");
          await Bun.sleep(20);
        }
        run.kill(name);
        expect(await run.exited).toBe(code);
        expect([await run.stdout.text(), await run.stderr.text()]).toEqual(["", ""]);
        // An engine that is slow goes on with it.
        for (let tries = 0; (await askers()).length > 0 && tries < 200; tries += 1) await Bun.sleep(50);
        expect(await askers()).toEqual([]);
        for (const each of ["pid", "child"]) {
          const stat = `/proc/${readFileSync(join(files.path, each), "utf8").trim()}/stat`;
          // The kernel ends it soon after it is killed, and a zombie does not run.
          const runs = () => existsSync(stat) && !/\) [ZX] /.test(readFileSync(stat, "latin1"));
          for (let tries = 0; runs() && tries < 200; tries += 1) await Bun.sleep(25);
          expect(runs()).toBe(false);
        }
      } finally {
        run.kill("SIGKILL");
        files.remove();
      }
    }, 90_000);
  }
});
