import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createChangeDetector } from "../../../src/aws/change-detector.ts";

test("an edited file, a new login and a rewritten one are seen, at most once a second", () => {
  const HOME = mkdtempSync(join(tmpdir(), "version-"));
  const cache = join(HOME, ".aws", "sso", "cache");
  let at = 0;
  const look = createChangeDetector({ env: { HOME }, now: () => at });
  const first = look();
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(HOME, ".aws", "config"), "[default]\n");
  at = 999;
  expect(look()).toBe(first);
  at = 1000;
  const second = look();
  expect(second).not.toBe(first);
  writeFileSync(join(cache, "a.json"), "1");
  at = 2000;
  const third = look();
  expect(third).not.toBe(second);
  writeFileSync(join(cache, "a.json"), "12");
  at = 3000;
  expect(look()).not.toBe(third);
  at = 4000;
  expect(look()).toBe(look());
  rmSync(HOME, { recursive: true });
});

describe("a file that takes part is seen", () => {
  for (const [title, env, config] of [
    ["the web identity token of the environment", { AWS_WEB_IDENTITY_TOKEN_FILE: "TOKEN" }, ""],
    ["the token of the container's endpoint", { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "TOKEN" }, ""],
    ["the web identity token of a profile", {}, "[profile a]\n  web_identity_token_file=TOKEN \n"],
  ] as const) {
    test(title, () => {
      const HOME = mkdtempSync(join(tmpdir(), "version-"));
      const token = join(HOME, "token");
      mkdirSync(join(HOME, ".aws"));
      writeFileSync(join(HOME, ".aws", "config"), config.replace("TOKEN", token));
      let at = 0;
      const full = Object.fromEntries(Object.entries(env).map(([name]) => [name, token]));
      const look = createChangeDetector({ env: { HOME, ...full }, now: () => at });
      const seen = [look()];
      for (const text of ["one", "other", undefined]) {
        if (text === undefined) rmSync(token);
        else writeFileSync(token, text);
        at += 1000;
        seen.push(look());
      }
      expect(new Set(seen).size).toBe(3);
      expect(seen[3]).toBe(seen[0] ?? "");
      at += 1000;
      expect(look()).toBe(seen[3] ?? "");
      rmSync(HOME, { recursive: true });
    });
  }
  test("a pipe in the place of an AWS file, without a wait for who writes to it", () => {
    const HOME = mkdtempSync(join(tmpdir(), "version-"));
    const config = join(HOME, ".aws", "config");
    mkdirSync(join(HOME, ".aws"));
    let at = 0;
    const look = createChangeDetector({ env: { HOME }, now: () => at });
    const first = look();
    Bun.spawnSync(["mkfifo", config]);
    // Opening it to read and write does not block, and unblocks a reader.
    const opener = Bun.spawn(["sh", "-c", 'sleep 1; exec 3<>"$0"', config]);
    const began = performance.now();
    at = 1000;
    expect(look()).not.toBe(first);
    expect(performance.now() - began).toBeLessThan(500);
    opener.kill();
    rmSync(HOME, { recursive: true });
  });
  test("what `aws login` leaves, and no other file", () => {
    const HOME = mkdtempSync(join(tmpdir(), "version-"));
    const cache = join(HOME, ".aws", "login", "cache");
    mkdirSync(cache, { recursive: true });
    let at = 0;
    const look = createChangeDetector({ env: { HOME }, now: () => at });
    const first = look();
    writeFileSync(join(HOME, "unrelated"), "x");
    at = 1000;
    expect(look()).toBe(first);
    writeFileSync(join(cache, "a.json"), "{}");
    at = 2000;
    expect(look()).not.toBe(first);
    rmSync(HOME, { recursive: true });
  });
});

for (const [title, count] of [
  ["the last of 121 logins that is renewed in place", 121],
  ["a new login beside 2,100 others", 2100],
] as const) {
  test(`${title} is seen`, () => {
    const HOME = mkdtempSync(join(tmpdir(), "version-"));
    const cache = join(HOME, ".aws", "sso", "cache");
    mkdirSync(cache, { recursive: true });
    const path = (login: number) => join(cache, `${String(login).padStart(5, "0")}.json`);
    for (let login = 1; login <= count; login += 1) writeFileSync(path(login), "{}");
    let at = 0;
    const look = createChangeDetector({ env: { HOME }, now: () => at });
    const first = look();
    at = 1000;
    expect(look()).toBe(first);
    writeFileSync(path(count === 121 ? count : count + 1), '{"renewed":true}');
    at = 2000;
    expect(look()).not.toBe(first);
    expect(look().length).toBeLessThan(500);
    rmSync(HOME, { recursive: true });
  });
}

test("a process that is out of descriptors sees no change, and what changed once it has some", async () => {
  const HOME = mkdtempSync(join(tmpdir(), "version-"));
  const cache = join(HOME, ".aws", "sso", "cache");
  const token = join(HOME, "token");
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, "a.json"), "{}");
  const source = (name: string) => JSON.stringify(join(import.meta.dir, "../../../src/aws", name));
  const script = `
    const { createChangeDetector } = await import(${source("change-detector.ts")});
    const { closeSync, openSync, writeFileSync } = await import("node:fs");
    const [home, config, token] = ${JSON.stringify([HOME, join(HOME, ".aws", "config"), token])};
    let at = 0;
    const look = createChangeDetector({ env: { HOME: home }, now: () => (at += 1000) });
    const inFlood = (work) => {
      const held = [];
      try { for (;;) held.push(openSync("/dev/null")); } catch {}
      const result = work();
      for (const descriptor of held) closeSync(descriptor);
      return result;
    };
    const first = look();
    const flooded = inFlood(look);
    writeFileSync(config, "[profile web]\\nweb_identity_token_file = " + token + "\\n");
    inFlood(look);
    const named = look();
    writeFileSync(token, "jwt");
    console.log(flooded === first, look() !== named);`;
  const child = Bun.spawn(["sh", "-c", 'ulimit -n 64; exec "$0" -e "$1"', process.execPath, script], {
    stderr: "inherit",
  });
  expect(await new Response(child.stdout).text()).toBe("true true\n");
  rmSync(HOME, { recursive: true });
});

test("a folder of logins that cannot be read is as it was, and one that is gone has none", () => {
  const HOME = mkdtempSync(join(tmpdir(), "version-"));
  const cache = join(HOME, ".aws", "sso", "cache");
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, "a.json"), "{}");
  let at = 0;
  const look = createChangeDetector({ env: { HOME }, now: () => at });
  const first = look();
  rmSync(cache, { recursive: true });
  symlinkSync(cache, cache);
  at = 1000;
  expect(look()).toBe(first);
  rmSync(cache);
  at = 2000;
  expect(look()).not.toBe(first);
  rmSync(HOME, { recursive: true });
});
