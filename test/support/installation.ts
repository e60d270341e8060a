import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { digest } from "../../scripts/container/debian.ts";
import { installer } from "../../scripts/distribution/installer.ts";
import { tarGz } from "../../scripts/distribution/tar.ts";
import { archiveName, ownTargets } from "../../scripts/distribution/targets.ts";

const root = resolve(import.meta.dir, "../..");

/** The shells of this machine that install.sh must be read by. */
export const SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "sh"]].filter(([shell = ""]) => Bun.which(shell));

export type Installation = Awaited<ReturnType<typeof startInstallation>>;

/** A made-up release 1.2.3 with the archive of this machine alone, a server that has it, and a folder `bin` to install to. */
export async function startInstallation() {
  const [usual] = ownTargets();
  if (usual === undefined) throw new Error("there is no target of this machine");
  const name = archiveName("1.2.3", usual);
  const folder = mkdtempSync(join(tmpdir(), "ecs-local-install-"));
  const script = join(folder, "install.sh");
  /** What the server answers, by path. */
  const served = new Map<string, Uint8Array<ArrayBuffer>>();
  mkdirSync(join(folder, "bin"));
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      const body = served.get(new URL(request.url).pathname);
      return body === undefined ? new Response("not found", { status: 404 }) : new Response(body);
    },
  });

  /** An archive whose program leaves a mark when it is run. */
  function archiveOf(says: string): Uint8Array<ArrayBuffer> {
    const program = `#!/bin/sh\n: >'${folder}/was-run'\n${says}\n`;
    return tarGz([{ path: `${name}/ecs-local-endpoints`, bytes: Buffer.from(program), isExecutable: true }], 0);
  }
  /** @param baseUrl where the script looks for it; the server's where it is left out */
  async function offer(archive: Uint8Array<ArrayBuffer>, baseUrl = `http://127.0.0.1:${server.port}`): Promise<void> {
    served.set(`/${name}.tar.gz`, archive);
    writeFileSync(script, await installer(root, "1.2.3", baseUrl, `${digest(archive)}  ${name}.tar.gz\n`));
  }
  async function install(shell: readonly string[], args: readonly string[], env: Record<string, string> = {}) {
    const [program = "", ...options] = shell;
    const run = Bun.spawn([Bun.which(program) ?? program, ...options, script, ...args], {
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
  async function remove(): Promise<void> {
    await server.stop(true);
    rmSync(folder, { recursive: true });
  }
  await offer(archiveOf("echo ecs-local-endpoints 1.2.3"));
  return { name, folder, script, served, server, archiveOf, offer, install, installed, wasRun, remove };
}
