import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Finding } from "../../src/commands/doctor/finding.ts";
import { checkPort, readPort } from "../../src/commands/doctor/port.ts";
import { doctor } from "../../src/commands/doctor.ts";
import { parseConfig } from "../../src/config/config.ts";
import { type ContainerDocument, container } from "../support/containers.ts";
import { atEnd, endAll, KEYS, startFake } from "../support/credential-server.ts";
import { startFakeEngine } from "../support/fake-engine.ts";
import { freePort } from "../support/free-port.ts";
import { network, withNetwork } from "../support/networks.ts";
import { note, secret, secretsOf } from "../support/secrets.ts";

await import("../../src/aws/clock-skew.ts");
afterEach(endAll);

const RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/creds";
const FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://localhost/creds";
const KEY = `AWS_ACCESS_KEY_ID=${secret("AKIAOFACONTAINER")}`;
const TOKEN_FILE = "AWS_WEB_IDENTITY_TOKEN_FILE=/of-a-token";
const V4 = "ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2";
const shop = network({ name: "shop", subnet: "10.1.0.0/16", gateway: "10.1.0.1" });
const ecs = network({ name: "ecs", subnet: "169.254.170.0/24", gateway: "169.254.170.1" });
const server = withNetwork(container({ name: "ecs", image: "ecs-local-endpoints:dev", env: [KEY] }), ecs, {
  ipv4: "169.254.170.2",
});
const web = (env: string[], ...on: [typeof shop, string][]) =>
  on.reduce<ContainerDocument>(
    (made, [net, ipv4]) => withNetwork(made, net, { ipv4 }),
    container({ name: "web", env }),
  );

/** Runs doctor as the command line would; the findings, the exit code and all that it wrote. */
async function run(env: Record<string, string>, port = freePort()) {
  secretsOf(env);
  const config = parseConfig(env, { port: String(port) });
  let said = "";
  const out = (lines: string) => {
    said += note(lines);
  };
  const request = { json: true, port: String(port) };
  const code = await doctor(request, config, { docker: config.docker, env, program: [], out, err: out });
  const findings = JSON.parse(said) as Finding[];
  expect(code).toBe(findings.some(({ state }) => state === "problem") ? 1 : 0);
  return { said, of: (check: string) => findings.filter((one) => one.check === check) };
}

/** Runs it with these containers. */
async function withContainers(containers: ContainerDocument[], networks = [shop, ecs]) {
  const fake = startFakeEngine({ containers, networks });
  atEnd(() => fake.stop());
  return run({ DOCKER_HOST: fake.host, ECS_LOCAL_OFFLINE: "1" });
}

describe("a finding about containers is cleared by its remedy", () => {
  const onEcs: [typeof ecs, string] = [ecs, "169.254.170.5"];
  const onShop: [typeof shop, string] = [shop, "10.1.0.5"];
  const owner = container({ name: "owner" });
  const withOwner = (net: typeof shop, ipv4: string) => [server, withNetwork(owner, net, { ipv4 })];
  const sharing = container({ name: "web", env: [RELATIVE], networkMode: `container:${owner.Id}` });
  const none = container({ name: "web", env: [RELATIVE], networkMode: "none" });
  const host = container({ name: "web", env: [RELATIVE], networkMode: "host" });
  const remove = (name: string) => `remove ${name} from the container's environment`;
  const provoked: [string, string, string, ContainerDocument[], ContainerDocument[]][] = [
    [
      "hidden-endpoint (problem)",
      "container web has AWS_ACCESS_KEY_ID, which hides",
      `${remove("AWS_ACCESS_KEY_ID")}, and make it again`,
      [server, web([RELATIVE, KEY], onEcs)],
      [server, web([RELATIVE], onEcs)],
    ],
    [
      "hidden-endpoint (problem): by a token's file",
      "container web has AWS_WEB_IDENTITY_TOKEN_FILE, which hides",
      `${remove("AWS_WEB_IDENTITY_TOKEN_FILE")}, and make it again`,
      [server, web([RELATIVE, TOKEN_FILE], onEcs)],
      [server, web([RELATIVE], onEcs)],
    ],
    [
      "hidden-endpoint (warning)",
      "container web has AWS_ACCESS_KEY_ID: it would not ask",
      `${remove("AWS_ACCESS_KEY_ID")}, and make it again`,
      [server, web([KEY], onShop)],
      [server, web([], onShop)],
    ],
    [
      "two-endpoints (warning)",
      "container web has both",
      `${remove("AWS_CONTAINER_CREDENTIALS_FULL_URI")}, or the other, and make it again`,
      [server, web([RELATIVE, FULL], onEcs)],
      [server, web([RELATIVE], onEcs)],
    ],
    [
      "no-route (problem)",
      "reaches 169.254.170.2 (shop)",
      "run: docker network connect ecs web",
      [server, web([RELATIVE], onShop)],
      [server, web([RELATIVE], onShop, onEcs)],
    ],
    [
      "no-route (problem): without a network",
      "reaches 169.254.170.2 (none)",
      "make it again on the network ecs",
      [server, none],
      [server, web([RELATIVE], onEcs)],
    ],
    [
      "no-route (problem): with the network of another",
      `reaches 169.254.170.2 (container:${owner.Id})`,
      "put the container whose network it shares on the network ecs",
      [...withOwner(...onShop), sharing],
      [...withOwner(...onEcs), sharing],
    ],
    [
      "no-route (problem): with the machine's network",
      "reaches 169.254.170.2 (host)",
      "put it on a network 169.254.170.0/24 with our container",
      [host],
      [server, web([RELATIVE], onEcs)],
    ],
    [
      "metadata-version (warning)",
      "container web has ECS_CONTAINER_METADATA_URI_V4 with a path of version 3",
      "set ECS_CONTAINER_METADATA_URI_V4 to http://169.254.170.2/v4",
      [server, web([`${V4}/v3`], onEcs)],
      [server, web([`${V4}/v4`], onEcs)],
    ],
    [
      "reach (warning)",
      "a container on shop has no route",
      "put it on the network of our container: docker network connect ecs <container>",
      [server, web([], onShop)],
      [server, web([], onEcs)],
    ],
  ];
  for (const [title, message, remedy, before, after] of provoked) {
    test(title, async () => {
      const [, check = "", state = ""] = /^(\S+) \((\w+)\)/.exec(title) ?? [];
      const bad = await withContainers(before);
      expect(bad.of(check)).toHaveLength(1);
      expect(bad.of(check)[0]?.message).toContain(message);
      expect(bad.of(check)[0]?.state).toBe(state as Finding["state"]);
      expect(bad.of(check)[0]?.remedy).toStartWith(remedy);
      // Not a value of a variable, whatever it is called.
      expect(bad.said).not.toMatch(/AKIA|=\/creds|localhost\/creds|\/of-a-token/);
      const good = await withContainers(after);
      expect(good.of(check).map((one) => one.state)).toEqual(["ok"]);
    });
  }

  test("subnets (problem)", async () => {
    const other = network({ name: "other", subnet: "169.254.170.128/25", gateway: "169.254.170.129" });
    const bad = await withContainers([server], [shop, ecs, other]);
    expect(bad.of("subnets")).toMatchObject([{ state: "problem", message: expect.stringContaining("network other") }]);
    const good = await withContainers([server], [shop, ecs]);
    expect(good.of("subnets")).toMatchObject([{ state: "ok" }]);
  });
});

test("our own container has its keys and is not told to remove them", async () => {
  const { of } = await withContainers([server]);
  expect(of("hidden-endpoint")).toMatchObject([{ state: "ok" }]);
});

test("a container of an image that has our name and more is checked as any other", async () => {
  const other = container({ name: "web", image: "ecs-local-endpoints-web", env: [KEY, RELATIVE] });
  const { of } = await withContainers([server, withNetwork(other, shop, { ipv4: "10.1.0.5" })]);
  expect([...of("hidden-endpoint"), ...of("no-route")].map(({ state }) => state)).toEqual(["problem", "problem"]);
});

test("a container that shares the network of ours has its way", async () => {
  const { Id } = server;
  const sharing = container({ name: "side", env: [RELATIVE], networkMode: `container:${Id}` });
  expect((await withContainers([server, sharing])).of("no-route")).toMatchObject([{ state: "ok" }]);
});

describe("the engine", () => {
  test("engine (problem): it is gone, with what was tried, until it is there", async () => {
    const fake = startFakeEngine();
    atEnd(() => fake.stop());
    const env = { DOCKER_HOST: fake.host, ECS_LOCAL_OFFLINE: "1" };
    await fake.faults.down();
    const gone = await run(env);
    expect(gone.of("engine")[0]?.message).toContain(fake.socketPath);
    expect(gone.of("engine")).toMatchObject([{ state: "problem", remedy: expect.any(String) }]);
    expect(gone.of("reach")).toBeEmpty();
    fake.faults.up();
    const { of } = await run(env);
    expect(of("engine")[0]?.message).toBe(`Docker 29.0.0 at ${fake.host}, API 1.47, 0 containers running`);
    expect(of("engine")).toMatchObject([{ state: "ok" }]);
  });
  test("engine (warning): it does not show a container, which alone is left out, until it does", async () => {
    const broken = container({ name: "a b", env: [KEY, RELATIVE] });
    const fake = startFakeEngine({
      containers: [server, web([KEY], [shop, "10.1.0.5"]), broken],
      networks: [shop, ecs],
    });
    atEnd(() => fake.stop());
    const env = { DOCKER_HOST: fake.host, ECS_LOCAL_OFFLINE: "1" };
    fake.faults.inspect500(broken.Id);
    const bad = await run(env);
    expect(bad.of("engine")[0]?.message).toContain("3 containers running, left out of the checks: a b (The engine at ");
    expect(bad.of("engine")).toMatchObject([
      { state: "warning", remedy: expect.stringContaining("docker inspect 'a b'") },
    ]);
    expect(bad.of("hidden-endpoint")).toMatchObject([{ state: "warning", message: expect.stringContaining("web") }]);
    await fake.stop();
    const whole = startFakeEngine({ containers: [server, broken], networks: [shop, ecs] });
    atEnd(() => whole.stop());
    const { of } = await run({ ...env, DOCKER_HOST: whole.host });
    expect(of("engine")).toMatchObject([{ state: "ok" }]);
    expect(of("hidden-endpoint")).toMatchObject([{ state: "problem", message: expect.stringContaining("a b") }]);
  });
  test("that never answers ends the wait, not doctor", async () => {
    const fake = startFakeEngine();
    atEnd(() => fake.stop());
    fake.faults.hold = true;
    const before = performance.now();
    const { of } = await run({ DOCKER_HOST: fake.host, ECS_LOCAL_OFFLINE: "1" });
    expect(of("engine")).toMatchObject([{ state: "problem" }]);
    expect(performance.now() - before).toBeLessThan(8_000);
  }, 15_000);
});

test("a port that is taken is not needed where our container has the address", async () => {
  const fake = startFakeEngine({ containers: [server], networks: [shop, ecs] });
  const other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("hello") });
  atEnd(() => Promise.all([fake.stop(), other.stop(true)]));
  const { of } = await run({ DOCKER_HOST: fake.host, ECS_LOCAL_OFFLINE: "1" }, other.port);
  expect(of("port")).toMatchObject([{ state: "ok", message: expect.stringContaining("not needed") }]);
});

describe("the identity and the clock", () => {
  const NO_ENGINE = { DOCKER_HOST: "unix:///nonexistent.sock" };

  test("identity (problem): there is none, until keys are set; then it says who", async () => {
    const aws = startFake();
    const none = await run({
      ...NO_ENGINE,
      HOME: "/nonexistent",
      AWS_EC2_METADATA_DISABLED: "true",
      STS_ENDPOINT: aws.url,
    });
    expect(none.of("identity")[0]?.message).toContain("no AWS identity");
    expect(none.of("identity")).toMatchObject([{ state: "problem", remedy: expect.stringContaining("AWS_PROFILE") }]);
    const { of, said } = await run({ ...NO_ENGINE, ...KEYS, STS_ENDPOINT: aws.url });
    expect(of("identity")[0]?.message).toContain("arn:aws:iam::111122223333:user/dev by the keys of the environment");
    expect(of("identity")).toMatchObject([{ state: "ok" }]);
    expect(said).not.toContain(KEYS.AWS_SECRET_ACCESS_KEY);
  }, 15_000);
  test("identity (problem): AWS does not accept it, until it is renewed", async () => {
    const aws = startFake();
    const env = { ...NO_ENGINE, ...KEYS, STS_ENDPOINT: aws.url };
    aws.failures.GetCallerIdentity = { code: "InvalidClientTokenId", status: 403 };
    expect((await run(env)).of("identity")).toMatchObject([
      { state: "problem", remedy: expect.stringContaining("renew") },
    ]);
    aws.failures.GetCallerIdentity = undefined;
    expect((await run(env)).of("identity")).toMatchObject([{ state: "ok" }]);
  });
  test("identity (warning), identity (problem): it ends soon or has ended, until it is renewed", async () => {
    const aws = startFake();
    const at = (minutes: number) =>
      run({
        ...{ ...NO_ENGINE, ...KEYS, AWS_SESSION_TOKEN: "token-of-a-session", STS_ENDPOINT: aws.url },
        AWS_CREDENTIAL_EXPIRATION: new Date(Date.now() + minutes * 60_000).toISOString(),
      });
    expect((await at(5)).of("identity")).toMatchObject([{ state: "warning" }]);
    expect((await at(-5)).of("identity")).toMatchObject([{ state: "problem" }]);
    const { of, said } = await at(50);
    expect(of("identity")).toMatchObject([{ state: "ok" }]);
    expect(said).not.toContain("token-of-a-session");
  });
  test("clock (problem), clock (warning): it is off by that of STS, until it is set", async () => {
    const aws = startFake();
    const env = { ...NO_ENGINE, ...KEYS, STS_ENDPOINT: aws.url };
    aws.isPunctual = true;
    aws.clockMs = 3_600_000;
    const off = await run(env);
    expect(off.of("clock")[0]?.message).toMatch(/^3(599|600|601) s behind that of STS/);
    expect(off.of("clock")).toMatchObject([{ state: "problem", remedy: expect.stringContaining("set-ntp") }]);
    aws.clockMs = 60_000;
    expect((await run(env)).of("clock")).toMatchObject([{ state: "warning" }]);
    aws.clockMs = 0;
    expect((await run(env)).of("clock")).toMatchObject([{ state: "ok" }]);
  });
  test("clock (warning), identity (problem): STS does not answer, until STS_ENDPOINT is one that does", async () => {
    const env = { ...NO_ENGINE, ...KEYS };
    const { of } = await run({ ...env, STS_ENDPOINT: `http://127.0.0.1:${freePort()}` });
    expect(of("clock")[0]?.remedy).toContain("STS_ENDPOINT");
    expect(of("identity")[0]?.remedy).toContain("STS_ENDPOINT");
    expect([...of("clock"), ...of("identity")]).toMatchObject([{ state: "warning" }, { state: "problem" }]);
    const good = await run({ ...env, STS_ENDPOINT: startFake().url });
    expect([...good.of("clock"), ...good.of("identity")]).toMatchObject([{ state: "ok" }, { state: "ok" }]);
  });
  test("clock (warning): what answers as STS says no time, until STS_ENDPOINT is what is meant", async () => {
    const answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const data = (socket: { end: (text: string) => unknown }) => void socket.end(answer);
    const timeless = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data } });
    atEnd(() => timeless.stop(true));
    const env = { ...NO_ENGINE, ...KEYS };
    const { of } = await run({ ...env, STS_ENDPOINT: `http://127.0.0.1:${timeless.port}` });
    expect(of("clock")[0]).toMatchObject({ state: "warning", message: "what answers as STS says no time" });
    expect(of("clock")[0]?.remedy).toContain("STS_ENDPOINT");
    expect((await run({ ...env, STS_ENDPOINT: startFake().url })).of("clock")).toMatchObject([{ state: "ok" }]);
  });
  test("an STS that hangs does not keep doctor for more than 10 s", async () => {
    const aws = startFake();
    aws.delayMs = 30_000;
    const before = performance.now();
    const { of } = await run({ ...NO_ENGINE, ...KEYS, STS_ENDPOINT: aws.url });
    expect([...of("clock"), ...of("identity")]).toMatchObject([{ state: "warning" }, { state: "problem" }]);
    expect(performance.now() - before).toBeLessThan(10_000);
  }, 20_000);
});

describe("the port", () => {
  // Where our server answers at 169.254.170.2 of this machine does not matter of these.
  const check = async (port: number, isServedElsewhere = false) =>
    checkPort(await readPort({ port, bindAddress: "127.0.0.1" }, isServedElsewhere));

  test("port (problem): another process has it, until it stops", async () => {
    const other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("hello") });
    const port = other.port ?? 0;
    const taken = await check(port);
    expect(taken.message).toContain("taken");
    expect(taken.remedy).toStartWith(`see which: sudo ss -ltnp sport = :${port} `);
    expect(taken.remedy).toContain("--port");
    expect(taken.state).toBe("problem");
    expect((await check(port, true)).state).toBe("ok");
    await other.stop(true);
    expect(await check(port)).toMatchObject({ state: "ok", message: expect.stringContaining("free") });
  });
  test("port (problem): its address cannot be resolved, until an address is chosen as the line says", async () => {
    const port = freePort();
    const bad = checkPort(await readPort({ port, bindAddress: "no..name" }, false));
    expect(bad).toMatchObject({ state: "problem", message: `no..name:${port} cannot be resolved` });
    const [, bindAddress = ""] =
      /^choose an address: --bind (\S+) or ECS_LOCAL_BIND_ADDRESS$/.exec(bad.remedy ?? "") ?? [];
    expect(checkPort(await readPort({ port, bindAddress }, false))).toMatchObject({ state: "ok" });
  });
  test("that our server has is fine", async () => {
    const ours = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.json({ status: "ok", later: 1 }) });
    atEnd(() => ours.stop(true));
    const message = expect.stringContaining("our server answers");
    expect(await check(ours.port ?? 0)).toMatchObject({ state: "ok", message });
  });
});

test("identity (problem): a credential_process hangs, which is named and does not outlive the diagnosis, until it ends", async () => {
  const folder = mkdtempSync(join(tmpdir(), "doctor-process-"));
  atEnd(() => rmSync(folder, { recursive: true }));
  writeFileSync(
    join(folder, "hang"),
    `#!/bin/sh\necho $$ > ${folder}/pid\nsleep 60 & echo $! > ${folder}/child\nwait\n`,
    { mode: 0o755 },
  );
  writeFileSync(join(folder, "config"), `[profile dev]\ncredential_process = ${folder}/hang\n`);
  const aws = startFake();
  const env = { AWS_PROFILE: "dev", AWS_CONFIG_FILE: join(folder, "config"), HOME: folder, STS_ENDPOINT: aws.url };
  const { of } = await run(env);
  expect(of("identity")[0]?.remedy).toContain("run it by hand; it may not ask for anything");
  expect(of("identity")).toMatchObject([
    { state: "problem", message: expect.stringContaining("profile 'dev': its cre") },
  ]);
  await Bun.sleep(50);
  for (const name of ["pid", "child"]) {
    const stat = `/proc/${readFileSync(join(folder, name), "utf8").trim()}/stat`;
    // A zombie does not run.
    expect(existsSync(stat) && !/\) [ZX] /.test(readFileSync(stat, "latin1"))).toBe(false);
  }
  const given = { Version: 1, AccessKeyId: secret("AKIAOFAPROCESS"), SecretAccessKey: secret("given-by-a-process") };
  writeFileSync(join(folder, "hang"), `#!/bin/sh\necho '${JSON.stringify(given)}'\n`);
  expect((await run(env)).of("identity")).toMatchObject([{ state: "ok" }]);
}, 20_000);
