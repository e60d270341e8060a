import { resolve } from "node:path";
import { buildImage, OWN_ARCH } from "../../scripts/container/build.ts";
import { stage } from "../../scripts/container/stage.ts";
import type { RealEngine } from "./real-engine.ts";

const root = resolve(import.meta.dir, "../..");
/** Set by `scripts/test`, which removes the image at its end: it is built once for all files. */
const RUN = process.env.ECS_TEST_RUN;
/** In full: Podman adds its own prefix to a shorter name. Removing the image of another run would end its containers. */
const IMAGE = `docker.io/library/ecs-local-endpoints:test-${RUN ?? process.pid}`;

let staged: Promise<void> | undefined;

/** Lays out once in a run what the images of all engines are made of. */
export function stageServerImage(): Promise<void> {
  staged ??= stage(root, OWN_ARCH);
  return staged;
}

/** The program's image, as its users have it. Gives its name. */
export async function buildServerImage(engine: RealEngine): Promise<string> {
  const isBuilt = await engine.call("GET", `/images/${IMAGE}/json`).then(
    () => true,
    () => false,
  );
  if (isBuilt) return IMAGE;
  await stageServerImage();
  await buildImage(root, OWN_ARCH, IMAGE, engine.host);
  return IMAGE;
}

export async function removeServerImage(engine: RealEngine): Promise<void> {
  if (RUN === undefined) await engine.call("DELETE", `/images/${IMAGE}?force=true`);
}
