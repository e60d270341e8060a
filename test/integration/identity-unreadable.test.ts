import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endAll, home, KEYS, online, ROLE_ARN, startFake, startIdentity } from "../support/credential-server.ts";

afterEach(endAll);

const KEYED = "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n";

/** A machine that has an identity for whoever has none of his own. */
function start(env: Record<string, string>) {
  const machine = startIdentity();
  const aws = startFake();
  let at = Date.now();
  const { get } = online(aws, { AWS_EC2_METADATA_SERVICE_ENDPOINT: machine.url, ...env }, () => at);
  return { machine, aws, get, pass: (ms: number) => (at += ms) };
}

const MAKE = {
  folder: (path: string) => mkdirSync(path),
  link: (path: string) => symlinkSync(path, path),
  pipe: (path: string) => void Bun.spawnSync(["mkfifo", path]),
} as const;

describe("an AWS file that is there and cannot be read is an error, whatever else the machine has:", () => {
  for (const [title, make, why] of [
    ["a folder", MAKE.folder, "EISDIR"],
    ["a link to itself", MAKE.link, "ELOOP"],
    ["a pipe", MAKE.pipe, "a pipe"],
  ] as const) {
    for (const name of ["config", "credentials"]) {
      test(`${name} as ${title}`, async () => {
        const HOME = home(name === "config" ? { credentials: KEYED } : {});
        const path = join(HOME, ".aws", name);
        make(path);
        const environments: Record<string, string>[] = [
          {},
          { AWS_PROFILE: "dev" },
          { AWS_PROFILE: "dev", ...KEYS, HOME },
        ];
        for (const more of environments) {
          const { machine, aws, get } = start({ HOME, ...more });
          const { status, body } = await get("/creds");
          const said = `the AWS file ${path} cannot be read (${why}); make it a file that the server's user may read`;
          expect([status, body.message]).toEqual([400, expect.stringContaining(said)]);
          expect([machine.calls, aws.calls]).toEqual([{}, {}]);
        }
      });
    }
  }
});

test("the container's credentials are not asked for either", async () => {
  const HOME = home({});
  MAKE.folder(join(HOME, ".aws", "config"));
  const uri = `${startIdentity().url}/container`;
  const { get } = start({ HOME, AWS_CONTAINER_CREDENTIALS_FULL_URI: uri });
  expect((await get("/creds")).body.message).toContain("cannot be read (EISDIR)");
});

test("a file that becomes one is used within a second", async () => {
  const HOME = home({});
  const path = join(HOME, ".aws", "credentials");
  MAKE.folder(path);
  const { aws, get, pass } = start({ HOME });
  expect((await get("/creds")).status).toBe(400);
  rmSync(path, { recursive: true });
  writeFileSync(path, KEYED);
  pass(1000);
  expect((await get("/creds")).status).toBe(200);
  expect(aws.requests[0]?.authorization).toContain("Credential=AKIAFILE/");
});

describe("an AWS file that cannot be read does not matter", () => {
  test("to keys of the environment", async () => {
    const HOME = home({});
    MAKE.folder(join(HOME, ".aws", "config"));
    expect((await start({ ...KEYS, HOME }).get("/creds")).status).toBe(200);
  });
  test("to a web identity of the environment", async () => {
    const HOME = home({ token: "jwt" });
    MAKE.folder(join(HOME, ".aws", "config"));
    const env = { HOME, AWS_WEB_IDENTITY_TOKEN_FILE: join(HOME, ".aws", "token"), AWS_ROLE_ARN: ROLE_ARN };
    expect((await start(env).get("/creds")).status).toBe(200);
  });
});

for (const [title, env] of [
  ["/dev/null", () => ({ AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" })],
  ["a home that is not a folder", (HOME: string) => ({ HOME: join(HOME, "file") })],
] as const) {
  test(`${title} is not an identity, and the machine's is used`, async () => {
    const HOME = home({});
    writeFileSync(join(HOME, "file"), "");
    const { machine, get } = start({ HOME, ...env(HOME) });
    expect((await get("/creds")).body).toMatchObject({ AccessKeyId: "ASIAFAKE1" });
    expect(machine.calls.imds).toBe(2);
  });
}
