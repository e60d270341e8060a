import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const SCRIPT = resolve(import.meta.dir, "../../scripts/find-secrets");
const SECRETS = resolve(import.meta.dir, "../support/secrets.ts");

// Of this test alone: what it writes to look for is not what the run looks for.
const KEY = "a/key+of=this test";
const TOKEN = `beginning-of-a-token-${"x".repeat(80)}`;

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Runs lines of a test in a process of its own, which has the folder of a run; then looks for the secrets in there. */
function find(lines: string, output = "1 pass\n", path = process.env.PATH ?? "") {
  const folder = mkdtempSync(join(tmpdir(), "find-secrets-"));
  folders.push(folder);
  const script = `const { note, noteAnswer, secret, secretsOf, secretsOfFile } = await import(${JSON.stringify(SECRETS)});\n${lines}`;
  Bun.spawnSync([process.execPath, "-e", script], { env: { ECS_TEST_RECORDS: folder }, stderr: "inherit" });
  writeFileSync(join(folder, "output"), output);
  const { exitCode, stdout, stderr } = Bun.spawnSync([SCRIPT, folder], { env: { PATH: path } });
  return { exitCode, said: `${stdout}${stderr}` };
}

const known = `secret(${JSON.stringify(KEY)}); secret(${JSON.stringify(TOKEN)});`;

describe("the end of a run", () => {
  test("passes where no secret was said", () => {
    expect(find(`${known} note("listening")`)).toMatchObject({ exitCode: 0, said: expect.stringContaining("none") });
  });

  for (const [what, text] of [
    ["as it is", `token=${KEY}`],
    ["in a URL", `?token=${encodeURIComponent(KEY)}`],
    ["in base64", Buffer.from(KEY).toString("base64")],
    ["cut off", `${TOKEN.slice(0, 30)}…`],
  ] as const) {
    test(`fails where a secret was said ${what}, and does not repeat it`, () => {
      const { exitCode, said } = find(`${known} note("listening"); note(${JSON.stringify(text)})`);
      expect([exitCode, said]).toEqual([1, expect.stringContaining("said:2")]);
      expect(said).not.toContain(text);
      expect(find(`${known} note("listening")`, `(pass) ${text}\n`).exitCode).toBe(1);
    });
  }

  for (const [what, lines] of [
    ["a variable", `secretsOf({ AWS_SECRET_ACCESS_KEY: "of-the-user" }); note("of-the-user")`],
    ["the password of a proxy", `secretsOf({ HTTPS_PROXY: "http://me:of-the-user@proxy:3128" }); note("of-the-user")`],
    ["a file of ~/.aws", `secretsOfFile("[dev]\\naws_secret_access_key = of-the-user\\n"); note("of-the-user")`],
    ["a login's file", `secretsOfFile('{"accessToken": "of-the-user"}'); note("of-the-user")`],
    [
      "an answer",
      `noteAnswer(200, '{"RoleArn":"","SecretAccessKey":"of-the-user","Token":"of-the-role"}'); noteAnswer(503, "of-the-role")`,
    ],
  ] as const) {
    test(`knows the secret of ${what}`, () => expect(find(lines).exitCode).toBe(1));
  }

  for (const [what, lines] of [
    ["no secret was used", `note("listening")`],
    ["nothing was said", known],
  ] as const) {
    test(`is not a proof where ${what}`, () => expect(find(lines).exitCode).toBe(2));
  }

  test("is not a proof where grep fails, as for want of memory", () => {
    const bin = mkdtempSync(join(tmpdir(), "find-secrets-grep-"));
    folders.push(bin);
    writeFileSync(join(bin, "grep"), "#!/bin/sh\nexit 2\n", { mode: 0o755 });
    const { exitCode, said } = find(`${known} note("listening")`, undefined, `${bin}:${process.env.PATH}`);
    expect([exitCode, said]).toEqual([2, "secrets: grep ended with 2, so it is not known whether there are any\n"]);
  });
});
