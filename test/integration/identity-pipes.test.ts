import { afterEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { endAll, home, online, ROLE_ARN, startFake, startIdentity } from "../support/credential-server.ts";

afterEach(endAll);

/** A pipe for a token, as some tools give secrets. */
function pipe() {
  const HOME = home({});
  const path = join(HOME, "token");
  Bun.spawnSync(["mkfifo", path]);
  return { HOME, path };
}

describe("a token in a pipe to which nobody writes is an error, and holds up nothing else:", () => {
  for (const [title, env, said] of [
    [
      "a web identity of the environment",
      (path: string) => ({ AWS_WEB_IDENTITY_TOKEN_FILE: path, AWS_ROLE_ARN: ROLE_ARN }),
      "the use of the web identity of the environment failed (Error: nothing came from",
    ],
    [
      "a web identity of a profile",
      () => ({ AWS_PROFILE: "web" }),
      "the web identity of profile 'web' failed (Error: nothing came from",
    ],
    [
      "the container's endpoint",
      (path: string, url: string) => ({
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/container`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: path,
      }),
      "(nothing came from /",
    ],
  ] as const) {
    test(title, async () => {
      const { HOME, path } = pipe();
      const config = `[profile web]\nrole_arn = ${ROLE_ARN}\nweb_identity_token_file = ${path}\n`;
      writeFileSync(join(HOME, ".aws", "config"), config);
      const { get } = online(startFake(), { HOME, ...env(path, startIdentity().url) });
      const began = performance.now();
      const asked = get("/creds");
      // One read that waits in the kernel would hold a thread, of which there are no more than processors.
      for (let other = 0; other < 16; other += 1) {
        online(startFake(), { HOME, ...env(path, startIdentity().url) })
          .get("/creds")
          .catch(() => {});
      }
      expect((await get("/nothing")).status).toBe(404);
      expect(performance.now() - began).toBeLessThan(500);
      expect((await asked).body.message).toContain("still fetching");
      await Bun.sleep(1300);
      const { status, body } = await get("/creds");
      expect([status, body.message]).toEqual([400, expect.stringContaining(said)]);
    });
  }
});

test("a token that is written into a pipe is used, in however many pieces", async () => {
  const { HOME, path } = pipe();
  const aws = startFake();
  const env = { HOME, AWS_WEB_IDENTITY_TOKEN_FILE: path, AWS_ROLE_ARN: ROLE_ARN };
  const { get } = online(aws, env);
  const asked = get("/creds");
  await Bun.spawn(["sh", "-c", '(sleep 0.1; printf jwt; sleep 0.2; printf -- -1) > "$0"', path]).exited;
  expect((await asked).status).toBe(200);
  expect(aws.requests[0]?.params.get("WebIdentityToken")).toBe("jwt-1");
});

test("a pipe that does not end is read no further than a token goes", async () => {
  const { HOME, path } = pipe();
  const env = { HOME, AWS_WEB_IDENTITY_TOKEN_FILE: path, AWS_ROLE_ARN: ROLE_ARN };
  const { get } = online(startFake(), env);
  const asked = get("/creds");
  const endless = Bun.spawn(["sh", "-c", 'exec yes > "$0"', path]);
  const { status, body } = await asked;
  expect([status, body.message]).toEqual([400, expect.stringContaining(`more came from ${path} than a token has`)]);
  // Its reader is gone.
  expect(await endless.exited).not.toBe(0);
});
