import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { digest } from "../../scripts/container/debian.ts";
import { installer } from "../../scripts/distribution/installer.ts";
import { tarGz } from "../../scripts/distribution/tar.ts";
import { archiveName, ownTargets } from "../../scripts/distribution/targets.ts";

const root = resolve(import.meta.dir, "../..");
const SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "sh"]].filter(([shell = ""]) => Bun.which(shell));

let folder: string;
let script: string;
/** What the server answers, by path. */
let served: Map<string, Uint8Array<ArrayBuffer>>;
let server: Bun.Server<undefined>;

const usual = ownTargets()[0];
if (usual === undefined) throw new Error("there is no target of this machine");
const name = archiveName("1.2.3", usual);

/** An archive whose program leaves a mark when it is run. */
function archiveOf(says: string): Uint8Array<ArrayBuffer> {
  const program = `#!/bin/sh\n: >'${folder}/was-run'\n${says}\n`;
  return tarGz([{ path: `${name}/ecs-local-endpoints`, bytes: Buffer.from(program), isExecutable: true }], 0);
}

async function offer(archive: Uint8Array<ArrayBuffer>): Promise<void> {
  served.set(`/${name}.tar.gz`, archive);
  const text = await installer(
    root,
    "1.2.3",
    `http://127.0.0.1:${server.port}`,
    `${digest(archive)}  ${name}.tar.gz\n`,
  );
  writeFileSync(script, text);
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "ecs-local-install-"));
  script = join(folder, "install.sh");
  mkdirSync(join(folder, "bin"));
  served = new Map();
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      const body = served.get(new URL(request.url).pathname);
      return body === undefined ? new Response("not found", { status: 404 }) : new Response(body);
    },
  });
  await offer(archiveOf("echo ecs-local-endpoints 1.2.3"));
});
afterEach(async () => {
  await server.stop(true);
  rmSync(folder, { recursive: true });
});

async function install(shell: string[], args: string[], env: Record<string, string> = {}) {
  const run = Bun.spawn([...shell, script, ...args], {
    env: { PATH: process.env.PATH ?? "", HOME: join(folder, "home"), ...env },
    cwd: folder,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([run.stdout.text(), run.stderr.text()]);
  return { exitCode: await run.exited, stdout, stderr };
}

const installed = () => readdirSync(join(folder, "bin"));
const wasRun = () => readdirSync(folder).includes("was-run");

for (const shell of SHELLS) {
  describe(`install.sh by ${shell.join(" ")}`, () => {
    const dir = () => ["--dir", join(folder, "bin")];

    test("installs what the release's server has, in one step", async () => {
      const { exitCode, stdout, stderr } = await install(shell, dir());
      expect([exitCode, stderr]).toEqual([0, `hint: ${folder}/bin is not in your PATH\n`]);
      expect(stdout).toBe(`ecs-local-endpoints 1.2.3\ninstalled as ${folder}/bin/ecs-local-endpoints\n`);
      expect(installed()).toEqual(["ecs-local-endpoints"]);
      expect(statSync(join(folder, "bin/ecs-local-endpoints")).mode & 0o777).toBe(0o755);
    });

    test("refuses an archive with another checksum, and neither unpacks nor runs it", async () => {
      const changed = archiveOf("echo ecs-local-endpoints 6.6.6");
      served.set(`/${name}.tar.gz`, changed);
      const { exitCode, stdout, stderr } = await install(shell, dir());
      expect([exitCode, stdout]).toEqual([1, ""]);
      expect(stderr).toContain(`${name}.tar.gz has the SHA-256 ${digest(changed)} instead of `);
      expect(stderr).toContain("nothing is installed");
      expect([installed(), wasRun()]).toEqual([[], false]);
    });

    test("keeps what was installed when the new program does not run", async () => {
      writeFileSync(join(folder, "bin/ecs-local-endpoints"), "old");
      await offer(archiveOf("echo 'GLIBC_2.17 not found' >&2; exit 1"));
      const { exitCode, stderr } = await install(shell, dir());
      expect(exitCode).toBe(1);
      expect(stderr).toContain("does not run on this machine: GLIBC_2.17 not found\nhint: it needs glibc 2.17");
      expect(await Bun.file(join(folder, "bin/ecs-local-endpoints")).text()).toBe("old");
      expect(installed()).toEqual(["ecs-local-endpoints"]);
    });

    test("says what cannot be fetched", async () => {
      served.clear();
      const { exitCode, stderr } = await install(shell, dir());
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`http://127.0.0.1:${server.port}/${name}.tar.gz cannot be fetched\n`);
      expect(installed()).toEqual([]);
    });

    test("does nothing when it was cut short on its way", async () => {
      const text = await Bun.file(script).text();
      for (const part of [0.3, 0.6, 0.9]) {
        writeFileSync(script, text.slice(0, Math.floor(text.length * part)));
        await install(shell, dir());
      }
      expect([installed(), wasRun()]).toEqual([[], false]);
    });

    test("makes the folder, and says nothing of a PATH that has it", async () => {
      const to = join(folder, "home/.local/bin");
      const { exitCode, stderr } = await install(shell, ["--dir", to], { PATH: `${process.env.PATH}:${to}` });
      expect([exitCode, stderr, readdirSync(to)]).toEqual([0, "", ["ecs-local-endpoints"]]);
    });

    test("prints its usage, and refuses what it does not know", async () => {
      expect(await install(shell, ["--help"])).toMatchObject({ exitCode: 0, stderr: "" });
      const unknown = await install(shell, ["--prefix", "/"]);
      expect(unknown).toEqual({
        exitCode: 1,
        stdout: "",
        stderr: "install.sh: '--prefix' is not known\nhint: see --help\n",
      });
      expect((await install(shell, ["--libc", "uclibc"])).stderr).toContain(
        "'uclibc', which is neither glibc nor musl",
      );
      expect((await install(shell, ["--libc", "musl", ...dir()])).stderr).toContain(
        "_musl.tar.gz is not in this release",
      );
    });
  });
}
