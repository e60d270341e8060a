import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePort } from "../support/free-port.ts";

const root = resolve(import.meta.dir, "../..");
let folder: string;
/** A PATH with what any machine has, and nothing that could run or fetch the program. */
let bare: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "a clone of ecs-local-"));
  bare = join(folder, "bin");
  mkdirSync(bare);
  for (const name of ["bash", "env", "dirname", "readlink", "sed", "uname"]) {
    symlinkSync(Bun.which(name) ?? name, join(bare, name));
  }
  for (const name of ["scripts", "package.json"]) cpSync(join(root, name), join(folder, name), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

for (const script of ["start", "test"]) {
  test(`scripts/${script} on a machine with neither bun nor npm says what to install`, () => {
    const run = Bun.spawnSync(["bash", `${folder}/scripts/${script}`], { env: { PATH: bare }, cwd: "/" });
    expect(run.exitCode).toBe(1);
    expect(run.stderr.toString()).toMatch(/^Install Bun \d+\.\d+\.\d+ .*npm.*run this again\.\n$/);
  });
}

test("scripts/start runs the server from source, wherever it is called from, with its arguments", async () => {
  const link = join(folder, "a link");
  symlinkSync(join(root, "scripts/start"), link);
  const port = String(freePort());
  const env = { ...process.env, CDPATH: "/:/tmp", DOCKER_HOST: "unix:///nonexistent.sock" };
  const server = Bun.spawn([link, "--offline", "--port", port], { env, cwd: folder, stderr: "ignore" });
  try {
    for (let tries = 0; ; tries += 1) {
      const answer = await fetch(`http://127.0.0.1:${port}/creds`).catch(() => undefined);
      if (answer?.ok) break;
      if (tries > 200 || server.exitCode !== null) throw new Error("no credentials");
      await Bun.sleep(50);
    }
  } finally {
    server.kill("SIGTERM");
  }
  expect(await server.exited).toBe(0);
}, 30_000);
