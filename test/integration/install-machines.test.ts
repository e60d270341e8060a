import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Installation, SHELLS, startInstallation } from "../support/installation.ts";

const USUAL = ["cat", "chmod", "cp", "getconf", "gzip", "ls", "mkdir", "mktemp", "mv", "rm", "sed", "tar", "uname"];

let at: Installation;
beforeEach(async () => {
  at = await startInstallation();
});
afterEach(() => at.remove());

/** A PATH with what any machine has and these programs, those with a text as scripts of that text. */
function machine(...programs: (string | [name: string, text: string])[]): { PATH: string } {
  const folder = join(at.folder, "path");
  mkdirSync(folder);
  const scripts = programs.filter((each) => typeof each !== "string");
  for (const name of [...USUAL, ...programs.filter((each) => typeof each === "string")]) {
    const found = Bun.which(name);
    if (found === null) throw new Error(`this machine has no ${name}`);
    if (!scripts.some(([script]) => script === name)) symlinkSync(found, join(folder, name));
  }
  for (const [name, text] of scripts) writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return { PATH: folder };
}

for (const shell of SHELLS) {
  describe(`install.sh by ${shell.join(" ")}`, () => {
    const dir = () => ["--dir", join(at.folder, "bin")];
    // Busybox is all of these in itself, and Debian's, which is linked to nothing, cannot look up an address.
    const isBusybox = shell[0] === "busybox";
    const fetchers = isBusybox ? ["curl"] : ["curl", "wget"];
    const nothing = () => expect([at.installed(), at.wasRun()]).toEqual([[], false]);

    for (const programs of [
      [fetchers.at(-1) ?? "", "sha256sum"],
      ["curl", "shasum"],
      ["curl", "openssl"],
    ]) {
      const missing = programs.find((name) => Bun.which(name) === null);
      const why = missing === undefined ? "" : ` (skipped: ${missing} is not installed)`;
      test.skipIf(missing !== undefined && process.env.CI !== "true")(
        `installs with ${programs.join(" and ")}${why}`,
        async () => {
          const { exitCode, stderr } = await at.install(shell, dir(), machine(...programs));
          expect([exitCode, at.installed()], stderr).toEqual([0, ["ecs-local-endpoints"]]);
        },
      );
    }

    if (!isBusybox) {
      test("says what to install where nothing can fetch", async () => {
        const unfetched = await at.install(shell, dir(), machine("sha256sum"));
        expect([unfetched.exitCode, unfetched.stderr]).toEqual([
          1,
          "install.sh: neither curl nor wget is installed\nhint: install one of them\n",
        ]);
        nothing();
      });
      test("installs nothing that it cannot verify", async () => {
        const unverified = await at.install(shell, dir(), machine("curl"));
        expect([unverified.exitCode, unverified.stderr]).toEqual([
          1,
          "install.sh: none of sha256sum, shasum and openssl is installed, and nothing is installed unverified\n" +
            "hint: install one of them\n",
        ]);
        nothing();
      });
    }

    test("installs nothing of a download that ends before its end", async () => {
      const cut = Bun.listen({
        hostname: "127.0.0.1",
        port: 0,
        socket: {
          data: (socket) => {
            socket.end("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nConnection: close\r\n\r\nhalf");
          },
        },
      });
      const url = `http://127.0.0.1:${cut.port}`;
      const { exitCode, stderr } = await at.install(
        shell,
        [...dir(), "--base-url", `${url}/`],
        machine("curl", "sha256sum"),
      );
      cut.stop(true);
      expect(exitCode).toBe(1);
      expect(stderr).toEndWith(`install.sh: ${url}/${at.name}.tar.gz cannot be fetched\n`);
      nothing();
    });

    for (const tool of fetchers) {
      test(`fetches through the proxy that ${tool} knows`, async () => {
        const env = { ...machine(tool, "sha256sum"), http_proxy: `http://127.0.0.1:${at.server.port}` };
        const url = "http://archives.example";
        const { exitCode, stderr } = await at.install(shell, [...dir(), "--base-url", url], env);
        expect([exitCode, at.installed()], stderr).toEqual([0, ["ecs-local-endpoints"]]);
      });
    }

    test("names the folder that cannot be made or written, with the remedy", async () => {
      for (const [folder, why] of [
        ["/proc/absent", "the folder /proc/absent cannot be made"],
        ["/proc", "nothing can be written in /proc"],
      ] as const) {
        const { exitCode, stderr } = await at.install(shell, ["--dir", folder]);
        expect([exitCode, at.wasRun()]).toEqual([1, false]);
        expect(stderr).toContain(`\ninstall.sh: ${why}\nhint: name another folder by --dir, `);
      }
      expect((await at.install(shell, ["--dir", ""])).stderr).toBe("install.sh: --dir wants a value\n");
    });

    test("does not put the program into a folder of its name", async () => {
      mkdirSync(join(at.folder, "bin/ecs-local-endpoints"));
      const { exitCode, stderr } = await at.install(shell, dir());
      expect([exitCode, readdirSync(join(at.folder, "bin/ecs-local-endpoints"))]).toEqual([1, []]);
      expect(stderr).toStartWith(`install.sh: ${at.folder}/bin/ecs-local-endpoints is a folder\nhint: `);
    });

    for (const [title, name] of [
      ["a space", "my programs"],
      ["a hyphen before it", "-programs"],
    ] as const) {
      test(`installs to a relative folder with ${title}, and says where that is`, async () => {
        const { exitCode, stdout, stderr } = await at.install(shell, ["--dir", name], { CDPATH: "/:/tmp" });
        expect([exitCode, readdirSync(join(at.folder, name))], stderr).toEqual([0, ["ecs-local-endpoints"]]);
        expect(stdout).toEndWith(`\ninstalled as ${at.folder}/${name}/ecs-local-endpoints\n`);
      });
    }

    test("replaces a program that is running, which goes on", async () => {
      const program = join(at.folder, "bin/ecs-local-endpoints");
      copyFileSync(Bun.which("sleep") ?? "", program);
      chmodSync(program, 0o755);
      const running = Bun.spawn([program, "60"]);
      const { exitCode, stderr } = await at.install(shell, dir());
      expect([exitCode, running.exitCode], stderr).toEqual([0, null]);
      running.kill();
      expect(await Bun.file(program).text()).toContain("ecs-local-endpoints 1.2.3");
    });

    test("installs from a pipe, and nothing of a pipe that breaks", async () => {
      const text = await Bun.file(at.script).text();
      const piped = (script: string) =>
        Bun.spawn([...shell, "-s", "--", ...dir()], { stdin: Buffer.from(script), stdout: "ignore", stderr: "ignore" });
      await piped(text.slice(0, text.lastIndexOf("main"))).exited;
      nothing();
      expect(await piped(text).exited).toBe(0);
      expect(at.installed()).toEqual(["ecs-local-endpoints"]);
    });

    if (!isBusybox) {
      test("refuses a system and a processor that it has no program for", async () => {
        const env = machine("curl", "sha256sum", [
          "uname",
          'case $1 in -s) echo "$SYSTEM" ;; *) echo "$PROCESSOR" ;; esac',
        ]);
        const on = async (SYSTEM: string, PROCESSOR: string) =>
          (await at.install(shell, dir(), { ...env, SYSTEM, PROCESSOR })).stderr;
        expect(await on("FreeBSD", "amd64")).toStartWith("install.sh: there is no binary for FreeBSD\n");
        expect(await on("Linux", "riscv64")).toBe("install.sh: there is no binary for the processor riscv64\n");
        expect(await on("Darwin", "arm64")).toMatch(/_darwin_arm64\.tar\.gz is not in this release\n$/);
        nothing();
      });

      test("takes the program for musl where there is no glibc", async () => {
        const env = machine("curl", "sha256sum", ["getconf", "exit 1"], ["ls", "exit 0"]);
        const { stderr } = await at.install(shell, dir(), env);
        expect(stderr).toMatch(/_musl\.tar\.gz is not in this release\n$/);
      });
    }
  });
}
