import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runBinary, startBinary } from "../support/binary.ts";
import { container } from "../support/containers.ts";
import { startFakeEngine } from "../support/fake-engine.ts";

/** Only root can give up a privilege; who is not root may have been given it. */
const canDropPrivileges = process.getuid?.() === 0 && Bun.which("setpriv") !== null;

test("offline it returns dummy credentials, and SIGTERM ends it with 0", async () => {
  const server = await startBinary({ DOCKER_HOST: "unix:///nonexistent.sock" }, { args: ["--offline"] });
  const answer = await server.get("/creds");
  expect(answer.headers.get("content-type")).toBe("application/json");
  expect(Object.keys((await answer.json()) as object)).toEqual([
    "RoleArn",
    "AccessKeyId",
    "SecretAccessKey",
    "Token",
    "Expiration",
  ]);
  const metadata = await server.get("/v3");
  expect(metadata.status).toBe(503);
  expect(await metadata.text()).toContain("/nonexistent.sock");
  expect(await server.stop()).toBe(0);
});

test("neither .env nor bunfig.toml of the folder it starts in is loaded", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ecs-local-"));
  writeFileSync(join(folder, ".env"), "ECS_LOCAL_LOG_LEVEL=nonsense\n");
  writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  writeFileSync(join(folder, "preload.ts"), 'console.error("preloaded");\n');
  const server = await startBinary({ DOCKER_HOST: "unix:///nonexistent.sock" }, { args: ["--offline"], cwd: folder });
  expect(await server.stop()).toBe(0);
  expect(server.log()).not.toContain("preloaded");
  rmSync(folder, { recursive: true });
});

test("a taken port is one sentence with the remedy, and exit code 1", async () => {
  const server = await startBinary({ DOCKER_HOST: "unix:///nonexistent.sock" }, { args: ["--offline"] });
  const { exitCode, stderr } = runBinary(["--offline", "--port", String(server.port)]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`127.0.0.1:${server.port} is taken`);
  expect(stderr).toContain("ECS_LOCAL_METADATA_PORT");
  await server.stop();
});

test("SIGTERM lets a request that waits for its answer have it, and takes no new one", async () => {
  const engine = startFakeEngine({ containers: [container({ name: "web" })], statsIntervalMs: 500 });
  const server = await startBinary({ DOCKER_HOST: engine.host, ECS_LOCAL_OFFLINE: "1" });
  while ((await server.get("/v3/containers/web")).status !== 200) await Bun.sleep(10);
  const waiting = server.get("/v3/containers/web/stats");
  while (engine.openStreams("stats") === 0) await Bun.sleep(5);
  const stopping = server.stop();
  await Bun.sleep(100);
  expect(server.get("/creds")).rejects.toThrow();
  const { status, headers } = await waiting;
  expect([status, headers.get("content-type")]).toEqual([200, "application/json"]);
  expect(await stopping).toBe(0);
  await engine.stop();
});

test("SIGHUP, as of a terminal that closes, ends it as SIGTERM does", async () => {
  const server = await startBinary({ DOCKER_HOST: "unix:///nonexistent.sock" }, { args: ["--offline"] });
  expect(await server.stop("SIGHUP")).toBe(0);
  expect(server.log()).toContain("stopping signal=SIGHUP");
});

test("SIGTERM ends it within 1.5 s, whatever a client still holds open", async () => {
  const server = await startBinary({ DOCKER_HOST: "unix:///nonexistent.sock" }, { args: ["--offline"] });
  const half = createConnection(server.port, "127.0.0.1", () =>
    half.write("GET /creds HTTP/1.1\r\nHost: localhost\r\n"),
  );
  half.on("error", () => {});
  while ((await server.get("/health")).status !== 200 || half.bytesWritten === 0) await Bun.sleep(10);
  const begin = performance.now();
  expect(await server.stop()).toBe(0);
  const tookMs = performance.now() - begin;
  expect(tookMs).toBeLessThan(1_500);
  // Else the client was not held, and nothing was tested.
  expect(tookMs).toBeGreaterThan(1_000);
});

test("healthcheck asks the server of the same configuration, by no proxy, and ends with 0, or with 1 and the reason", async () => {
  const server = await startBinary({ DOCKER_HOST: "unix:///nonexistent.sock", ECS_LOCAL_OFFLINE: "1" });
  const port = String(server.port);
  const env = { ECS_LOCAL_METADATA_PORT: port, HTTP_PROXY: "http://127.0.0.1:9", http_proxy: "http://127.0.0.1:9" };
  const well = expect.stringMatching(
    new RegExp(`^healthy: 127\\.0\\.0\\.1:${port}, version .*, engine .*, identity .*\n$`),
  );
  expect(runBinary(["healthcheck"], env)).toEqual({ exitCode: 0, stdout: well, stderr: "" });
  expect(runBinary(["healthcheck", "--port", port]).exitCode).toBe(0);
  await server.stop();
  const reason = expect.stringMatching(/^unhealthy: 127\.0\.0\.1:\d+ is not answered[^\n]*\n$/);
  expect(runBinary(["healthcheck"], env)).toEqual({ exitCode: 1, stdout: "", stderr: reason });
  expect(runBinary(["healthcheck"], { ECS_LOCAL_METADATA_PORT: "x9" })).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("'x9'"),
  });
});

test("a log without a reader does not end the server", async () => {
  const server = await startBinary({ DOCKER_HOST: "unix:///nonexistent.sock", ECS_LOCAL_OFFLINE: "1" });
  await server.closeLog();
  for (let asked = 0; asked < 5; asked += 1) {
    expect((await server.get("/creds")).status).toBe(200);
    await Bun.sleep(60);
  }
  expect(await server.stop()).toBe(0);
});

const forbidden = "a forbidden port is one sentence with the remedy, and exit code 1";
test.skipIf(!canDropPrivileges)(`${forbidden}${canDropPrivileges ? "" : " (skipped: needs root and setpriv)"}`, () => {
  const unprivileged = ["setpriv", "--bounding-set=-net_bind_service"];
  const { exitCode, stderr } = runBinary(["--offline", "--port", "80"], {}, unprivileged);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^ecs-local-endpoints: 127\.0\.0\.1:80 is forbidden to this user\nhint: .*51679/);
});

test("wrong usage and configuration have exit code 2 and name the value", () => {
  expect(runBinary(["--prot", "9"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--port") });
  expect(runBinary(["--port", "x9"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("'x9'") });
  const ssh = runBinary([], { DOCKER_HOST: "ssh://me@box" });
  expect(ssh).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("'ssh://***@box'") });
  const missing = runBinary([], { TASK_METADATA_PATH: "/nonexistent.json" });
  expect(missing).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("/nonexistent.json") });
});

test("help and version go to stdout with exit code 0", () => {
  expect(runBinary(["--help"])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("/role-arn/<arn>") });
  expect(runBinary(["--version"])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^ecs-local-endpoints 0\.\d/),
  });
});
