import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { OWN_ARCH } from "../../scripts/container/build.ts";
import type { RealEngine } from "./real-engine.ts";
import { stageServerImage } from "./server-image.ts";

const STAGED = resolve(import.meta.dir, "../../dist/image", OWN_ARCH);
/** In full, and of this run, as that of server-image.ts. Podman takes no tag here. */
const REPOSITORY = `docker.io/library/ecs-local-endpoints-tools-${process.pid}`;

/** An image with the program of image-tools.ts as `/tools`, and the libraries of the server's. Gives its name. */
export async function importToolsImage(engine: RealEngine): Promise<string> {
  await stageServerImage();
  const root = mkdtempSync(join(tmpdir(), "ecs-local-tools-"));
  try {
    cpSync(STAGED, root, { recursive: true, filter: (path) => basename(path) !== "ecs-local-endpoints" });
    const source = join(import.meta.dir, "image-tools.ts");
    const build = Bun.spawnSync([process.execPath, "build", "--compile", source, "--outfile", join(root, "tools")]);
    if (!build.success) throw new Error(build.stderr.toString());
    const tar = Bun.spawn(["tar", "-C", root, "-cf", "-", "."], { stdout: "pipe" });
    const image = new Blob([await new Response(tar.stdout).arrayBuffer()]);
    await (await engine.call("POST", `/images/create?fromSrc=-&repo=${REPOSITORY}`, image)).text();
    return `${REPOSITORY}:latest`;
  } finally {
    rmSync(root, { recursive: true });
  }
}

export async function removeToolsImage(engine: RealEngine): Promise<void> {
  await engine.call("DELETE", `/images/${REPOSITORY}:latest?force=true`);
}
