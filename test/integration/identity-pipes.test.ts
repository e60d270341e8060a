import { afterEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { endAll, home, online, ROLE_ARN, startFake, startIdentity } from "../support/credential-server.ts";

afterEach(endAll);

function pipe() {
  const HOME = home({});
  const path = join(HOME, "token");
  Bun.spawnSync(["mkfifo", path]);
  return { HOME, path };
}

describe("a token file that is a pipe is refused without opening it:", () => {
  for (const [title, env, text] of [
    [
      "a web identity of the environment",
      (path: string) => ({ AWS_WEB_IDENTITY_TOKEN_FILE: path, AWS_ROLE_ARN: ROLE_ARN }),
      "the use of the web identity of the environment failed (Error: not a regular file)",
    ],
    [
      "a web identity of a profile",
      () => ({ AWS_PROFILE: "web" }),
      "the web identity of profile 'web' failed (Error: not a regular file)",
    ],
    [
      "the container's endpoint",
      (path: string, url: string) => ({
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/container`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: path,
      }),
      "(not a regular file)",
    ],
  ] as const) {
    test(title, async () => {
      const { HOME, path } = pipe();
      const config = `[profile web]\nrole_arn = ${ROLE_ARN}\nweb_identity_token_file = ${path}\n`;
      writeFileSync(join(HOME, ".aws", "config"), config);
      const { get } = online(startFake(), { HOME, ...env(path, startIdentity().url) });
      const { status, body } = await get("/creds");
      expect([status, body.message]).toEqual([400, expect.stringContaining(text)]);
    });
  }
});

test("a token file of more than 64 KiB is refused", async () => {
  const HOME = home({});
  const path = join(HOME, "token");
  writeFileSync(path, "x".repeat(65_537));
  const { get } = online(startFake(), { HOME, AWS_WEB_IDENTITY_TOKEN_FILE: path, AWS_ROLE_ARN: ROLE_ARN });
  const { status, body } = await get("/creds");
  expect([status, body.message]).toEqual([400, expect.stringContaining("longer than 65536 bytes")]);
});
