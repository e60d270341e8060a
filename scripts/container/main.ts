/**
 * Builds the image with the local engine: see `scripts/image`. With `--stage` it only lays out what the Dockerfile
 * copies, for whoever builds it by other means.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildImage, compressedBytes, OWN_ARCH, parseArch } from "./build.ts";
import { stage } from "./stage.ts";

const root = resolve(import.meta.dir, "../..");
const BYTES_MAX = 60e6;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      arch: { type: "string", default: OWN_ARCH },
      tag: { type: "string" },
      stage: { type: "boolean", default: false },
    },
  });
  const arch = parseArch(values.arch);
  // What this machine cannot run must not take the place of what it can.
  const tag = values.tag ?? `ecs-local-endpoints:dev${arch === OWN_ARCH ? "" : `-${arch}`}`;
  await stage(root, arch);
  if (values.stage) return console.log(`staged dist/image/any and dist/image/${arch}`);
  await buildImage(root, arch, tag);
  const bytes = await compressedBytes(tag);
  console.log(`${tag} linux/${arch}: ${(bytes / 1e6).toFixed(1)} MB compressed`);
  if (bytes >= BYTES_MAX) throw new Error(`the image is larger than the ${BYTES_MAX / 1e6} MB that were promised`);
}

main().catch((error: Error) => {
  for (const line of error.message.split("\n")) console.error(line.startsWith("hint: ") ? line : `image: ${line}`);
  process.exit(1);
});
