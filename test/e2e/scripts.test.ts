import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { packageManager } from "../../package.json";
import { freePort } from "../support/free-port.ts";

const bunVersion = packageManager.replace("bun@", "");
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

for (const [title, says, status, counted] of [
  ["has a part that dies before its summary", "", 134, "20 passed, 1 failed, 0 skipped"],
  ["fails outside a test", " 2 pass\n 0 fail", 1, "22 passed, 1 failed, 0 skipped"],
  ["has failing tests", " 2 pass\n 3 fail", 1, "22 passed, 3 failed, 0 skipped"],
] as const) {
  test(`scripts/test counts a run that ${title}`, () => {
    const bin = mkdtempSync(join(folder, "stub-"));
    const answers = [`--version) echo ${bunVersion} ;;`, "install*) mkdir -p node_modules ;;"];
    const failing = `*" test test/integration "*) printf '${says}\\n'; exit ${status} ;;`;
    const others = `*" test test/"*) printf ' 5 pass\\n 0 fail\\n' ;;`;
    const bun = `#!/bin/sh\ncase "$*" in\n${[...answers, failing, others].join("\n")}\nesac\n`;
    writeFileSync(join(bin, "bun"), bun, { mode: 0o755 });
    const env = { PATH: `${bin}:${process.env.PATH}` };
    const run = Bun.spawnSync(["bash", `${folder}/scripts/test`], { env, cwd: "/" });
    expect([run.exitCode, run.stdout.toString().trimEnd().split("\n").at(-1)]).toEqual([status, counted]);
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
