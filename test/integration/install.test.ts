import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digest } from "../../scripts/container/debian.ts";
import { type Installation, SHELLS, startInstallation } from "../support/installation.ts";

let at: Installation;
beforeEach(async () => {
  at = await startInstallation();
});
afterEach(() => at.remove());

for (const shell of SHELLS) {
  describe(`install.sh by ${shell.join(" ")}`, () => {
    const dir = () => ["--dir", join(at.folder, "bin")];

    test("installs what the release's server has, in one step", async () => {
      const { exitCode, stdout, stderr } = await at.install(shell, dir());
      expect([exitCode, stderr]).toEqual([0, `hint: ${at.folder}/bin is not in your PATH\n`]);
      expect(stdout).toBe(`ecs-local-endpoints 1.2.3\ninstalled as ${at.folder}/bin/ecs-local-endpoints\n`);
      expect(at.installed()).toEqual(["ecs-local-endpoints"]);
      expect(statSync(join(at.folder, "bin/ecs-local-endpoints")).mode & 0o777).toBe(0o755);
    });

    test("refuses an archive with another checksum, and neither unpacks nor runs it", async () => {
      const changed = at.archiveOf("echo ecs-local-endpoints 6.6.6");
      at.served.set(`/${at.name}.tar.gz`, changed);
      const { exitCode, stdout, stderr } = await at.install(shell, dir());
      expect([exitCode, stdout]).toEqual([1, ""]);
      expect(stderr).toContain(`${at.name}.tar.gz has the SHA-256 ${digest(changed)} instead of `);
      expect(stderr).toContain("nothing is installed");
      expect([at.installed(), at.wasRun()]).toEqual([[], false]);
    });

    test("keeps what was installed when the new program does not run", async () => {
      writeFileSync(join(at.folder, "bin/ecs-local-endpoints"), "old");
      await at.offer(at.archiveOf("echo 'GLIBC_2.17 not found' >&2; exit 1"));
      const { exitCode, stderr } = await at.install(shell, dir());
      expect(exitCode).toBe(1);
      expect(stderr).toContain("does not run on this machine: GLIBC_2.17 not found\nhint: it needs glibc 2.17");
      expect(await Bun.file(join(at.folder, "bin/ecs-local-endpoints")).text()).toBe("old");
      expect(at.installed()).toEqual(["ecs-local-endpoints"]);
    });

    test("says what cannot be fetched", async () => {
      at.served.clear();
      const { exitCode, stderr } = await at.install(shell, dir());
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`http://127.0.0.1:${at.server.port}/${at.name}.tar.gz cannot be fetched\n`);
      expect(at.installed()).toEqual([]);
    });

    test("does nothing when it was cut short on its way", async () => {
      const text = await Bun.file(at.script).text();
      const last = text.trimEnd().lastIndexOf("\n") + 1;
      const inLastLine = Array.from(text.slice(last).trimEnd(), (_, index) => last + index);
      for (const cut of [0.3 * text.length, 0.6 * text.length, 0.9 * text.length, ...inLastLine]) {
        writeFileSync(at.script, text.slice(0, Math.floor(cut)));
        await at.install(shell, dir());
      }
      expect([at.installed(), at.wasRun()]).toEqual([[], false]);
    });

    test("makes the folder, and says nothing of a PATH that has it", async () => {
      const to = join(at.folder, "home/.local/bin");
      const { exitCode, stderr } = await at.install(shell, ["--dir", to], { PATH: `${process.env.PATH}:${to}` });
      expect([exitCode, stderr, readdirSync(to)]).toEqual([0, "", ["ecs-local-endpoints"]]);
    });

    test("installs to a folder whose name is a dash", async () => {
      const { exitCode, stdout } = await at.install(shell, ["--dir", "-"], { OLDPWD: "/" });
      expect([exitCode, readdirSync(join(at.folder, "-"))]).toEqual([0, ["ecs-local-endpoints"]]);
      expect(stdout).toEndWith(`installed as ${at.folder}/-/ecs-local-endpoints\n`);
    });

    test("prints its usage, and refuses what it does not know", async () => {
      expect(await at.install(shell, ["--help"])).toMatchObject({ exitCode: 0, stderr: "" });
      const unknown = await at.install(shell, ["--prefix", "/"]);
      expect(unknown).toEqual({
        exitCode: 1,
        stdout: "",
        stderr: "install.sh: '--prefix' is not known\nhint: see --help\n",
      });
      expect((await at.install(shell, ["--libc", "uclibc"])).stderr).toContain(
        "'uclibc', which is neither glibc nor musl",
      );
      expect((await at.install(shell, ["--libc", "musl", ...dir()])).stderr).toContain(
        "_musl.tar.gz is not in this release",
      );
    });
  });
}
