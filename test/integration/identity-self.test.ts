import { afterEach, describe, expect, test } from "bun:test";
import { endAll, home, KEYS, online, startFake } from "../support/credential-server.ts";
import { freePort } from "../support/free-port.ts";

afterEach(endAll);

describe("a server that is pointed at itself for its own credentials", () => {
  for (const path of ["/creds", "/creds/", "/role/app", "/v2/credentials/any", "/creds?z=1&a=b"]) {
    test(`says so, names the variable and does not loop: ${path}`, async () => {
      const port = freePort();
      const uri = `http://127.0.0.1:${port}${path}`;
      const { get, lines } = online(
        startFake(),
        { HOME: home({}), AWS_CONTAINER_CREDENTIALS_FULL_URI: uri },
        Date.now,
        port,
      );
      const began = performance.now();
      const { status, body } = await get("/creds");
      expect([status, body.code]).toEqual([400, "IdentityFailed"]);
      expect(body.message).toContain(
        `AWS_CONTAINER_CREDENTIALS_FULL_URI '${uri.replace(/\?.*/, "")}' is this server's own address`,
      );
      expect(performance.now() - began).toBeLessThan(800);
      expect(lines.filter((line) => line.includes("pointed at itself")).length).toBeGreaterThan(0);
      expect(lines.length).toBeLessThan(5);
    });
  }
  test("by a profile with credential_source says so as well", async () => {
    const port = freePort();
    const config = "[profile dev]\nrole_arn = arn:aws:iam::111122223333:role/a\ncredential_source = EcsContainer\n";
    const uri = `http://localhost:${port}/creds`;
    const env = { HOME: home({ config }), AWS_PROFILE: "dev", AWS_CONTAINER_CREDENTIALS_FULL_URI: uri };
    const { get } = online(startFake(), env, Date.now, port);
    expect((await get("/role/app")).body.message).toContain("it was pointed at itself");
  });
});

test("a server may ask another one, which is not itself", async () => {
  const script = `import { serve } from ${JSON.stringify(`${import.meta.dir}/../../src/commands/serve.ts`)};
    import { parseConfig } from ${JSON.stringify(`${import.meta.dir}/../../src/config/config.ts`)};
    const env = { ECS_LOCAL_METADATA_PORT: process.argv[1], ECS_LOCAL_OFFLINE: "1", DOCKER_HOST: "unix:///nonexistent" };
    serve(parseConfig(env), env, (text) => process.stdout.write(text));`;
  const port = freePort();
  const other = Bun.spawn([process.execPath, "-e", script, String(port)], { stdout: "pipe" });
  try {
    await other.stdout.getReader().read();
    const uri = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/creds` };
    const { get } = online(startFake(), { HOME: home({}), ...uri });
    expect((await get("/creds")).body).toMatchObject({ AccessKeyId: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/) });
  } finally {
    other.kill();
  }
});

test("applications are answered whatever their query says", async () => {
  const { get } = online(startFake(), KEYS);
  expect((await get("/creds?ecs-local-endpoints=00000000-0000-4000-8000-000000000000")).status).toBe(200);
});
