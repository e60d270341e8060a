import { afterEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { endAll, home } from "../support/credential-server.ts";
import { freePort } from "../support/free-port.ts";

afterEach(endAll);

const MAIN = join(import.meta.dir, "../../src/main.ts");

/** Starts the program, and ends it once it listens if it does. */
async function start(env: Record<string, string>): Promise<{ code: number; log: string }> {
  const port = String(freePort());
  const child = Bun.spawn([process.execPath, "--no-env-file", MAIN], {
    env: { HOME: home({}), ECS_LOCAL_METADATA_PORT: port, DOCKER_HOST: "unix:///nonexistent", ...env },
    stdout: "ignore",
    stderr: "pipe",
  });
  let log = "";
  for await (const chunk of child.stderr) {
    log += new TextDecoder().decode(chunk);
    if (log.includes(" listening ")) child.kill("SIGTERM");
  }
  return { code: await child.exited, log };
}

describe("a file that cannot be used stops the start, with the variable and the path", () => {
  for (const [variable, path, reason] of [
    ["AWS_CA_BUNDLE", "/nonexistent.pem", "cannot be read"],
    ["SSL_CERT_FILE", "/nonexistent.pem", "cannot be read"],
    ["ECS_LOCAL_ROLES", "/nonexistent.json", "cannot be read"],
  ] as const) {
    test(variable, async () => {
      const { code, log } = await start({ [variable]: path });
      expect(code).toBe(2);
      expect(log).toContain(`${variable} is '${path}', which ${reason}`);
    });
  }
  test("ECS_LOCAL_ROLES with a wrong field, and the fields that there are", async () => {
    const path = join(home({}), "roles.json");
    writeFileSync(path, '{"app": {"externalID": "x"}}');
    const { code, log } = await start({ ECS_LOCAL_ROLES: path });
    expect(code).toBe(2);
    expect(log).toMatch(/"app" has 'externalID'\nhint: .*externalId, sessionTags/);
  });
});

test("an unknown variable is logged with the right one, without its value", async () => {
  const env = { AWS_STS_ENDPOINT: "http://user:pass-of-endpoint@x", ALL_PROXY: "socks5://user:pass-of-proxy@x" };
  const { code, log } = await start(env);
  expect(code).toBe(0);
  expect(log).toMatch(/warning .* variable=AWS_STS_ENDPOINT hint="set STS_ENDPOINT instead"/);
  expect(log).toMatch(/warning this variable names no HTTP proxy and has no effect variable=ALL_PROXY/);
  expect(log).not.toContain("pass-of");
});
