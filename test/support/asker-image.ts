import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { RealEngine } from "./real-engine.ts";

const BINARY = resolve(import.meta.dir, "../../dist/ecs-local-endpoints");
/** In full: Podman adds its own prefix to a shorter name, and takes no tag here. */
const REPOSITORY = `docker.io/doc/ecs-local-endpoints-${process.pid}`;
/** What the program needs of glibc: its loader and these. */
const FILES = [
  "/lib64/ld-linux-x86-64.so.2",
  ...["libc.so.6", "libpthread.so.0", "libdl.so.2", "libm.so.6"].map((name) => `/lib/x86_64-linux-gnu/${name}`),
];

/** An image with the program as its entry point, under a name of this run's own. Gives its name. */
export async function importAskerImage(engine: RealEngine): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), "ecs-local-asker-"));
  try {
    for (const folder of ["lib64", "lib/x86_64-linux-gnu"]) mkdirSync(join(root, folder), { recursive: true });
    for (const path of FILES) cpSync(path, join(root, path), { dereference: true });
    cpSync(BINARY, join(root, "ecs-local-endpoints"));
    const tar = Bun.spawn(["tar", "-C", root, "-cf", "-", "."], { stdout: "pipe" });
    const image = new Blob([await new Response(tar.stdout).arrayBuffer()]);
    const changes = encodeURIComponent('ENTRYPOINT ["/ecs-local-endpoints"]');
    await (await engine.call("POST", `/images/create?fromSrc=-&repo=${REPOSITORY}&changes=${changes}`, image)).text();
    return `${REPOSITORY}:latest`;
  } finally {
    rmSync(root, { recursive: true });
  }
}

export async function removeAskerImage(engine: RealEngine): Promise<void> {
  await engine.call("DELETE", `/images/${REPOSITORY}:latest?force=true`);
}
