import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { RealEngine } from "./real-engine.ts";

const BINARY = resolve(import.meta.dir, "../../dist/ecs-local-endpoints");
/** In full: Podman adds its own prefix to a shorter name, and takes no tag here. */
const REPOSITORY = "docker.io/library/ecs-local-endpoints-test";
/** What the program needs of glibc: its loader and these. */
const LIBRARIES = ["libc.so.6", "libpthread.so.0", "libdl.so.2", "libm.so.6"];

/** An image FROM scratch with the program alone. No pull, no build. Gives its name. */
export async function importServerImage(engine: RealEngine): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), "ecs-local-image-"));
  try {
    for (const folder of ["lib64", "lib/x86_64-linux-gnu"]) mkdirSync(join(root, folder), { recursive: true });
    copy("/lib64/ld-linux-x86-64.so.2", root);
    for (const library of LIBRARIES) copy(`/lib/x86_64-linux-gnu/${library}`, root);
    cpSync(BINARY, join(root, "ecs-local-endpoints"));
    const tar = Bun.spawn(["tar", "-C", root, "-cf", "-", "."], { stdout: "pipe" });
    const image = new Blob([await new Response(tar.stdout).arrayBuffer()]);
    await (await engine.call("POST", `/images/create?fromSrc=-&repo=${REPOSITORY}`, image)).text();
    return `${REPOSITORY}:latest`;
  } finally {
    rmSync(root, { recursive: true });
  }
}

export async function removeServerImage(engine: RealEngine): Promise<void> {
  await engine.call("DELETE", `/images/${REPOSITORY}:latest?force=true`);
}

function copy(path: string, root: string): void {
  cpSync(path, join(root, path), { dereference: true });
}
