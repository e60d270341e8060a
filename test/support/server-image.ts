import { resolve } from "node:path";
import { buildImage, OWN_ARCH } from "../../scripts/container/build.ts";
import { stage } from "../../scripts/container/stage.ts";
import type { RealEngine } from "./real-engine.ts";

const root = resolve(import.meta.dir, "../..");
/** In full: Podman adds its own prefix to a shorter name. Of this run: who removes another's, ends its containers. */
const IMAGE = `docker.io/library/ecs-local-endpoints:test-${process.pid}`;

let staged: Promise<void> | undefined;

/** Lays out once in a run what the images of all engines are made of. */
export function stageServerImage(): Promise<void> {
  staged ??= stage(root, OWN_ARCH);
  return staged;
}

/** The program's image, as its users have it. Gives its name. */
export async function buildServerImage(engine: RealEngine): Promise<string> {
  await stageServerImage();
  await buildImage(root, OWN_ARCH, IMAGE, engine.host);
  return IMAGE;
}

export async function removeServerImage(engine: RealEngine): Promise<void> {
  await engine.call("DELETE", `/images/${IMAGE}?force=true`);
}
