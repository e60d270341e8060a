/**
 * Builds the image with the local engine: see `scripts/image`. With `--stage` it only lays out what the Dockerfile
 * copies, for whoever builds it by other means.
 */
import { resolve } from "node:path";
import { readOptions, runScript } from "../command-line.ts";
import { buildImage, compressedBytes, OWN_ARCH, parseArch } from "./build.ts";
import { stage } from "./stage.ts";

const root = resolve(import.meta.dir, "../..");
const BYTES_MAX = 60e6;

const USAGE = `Usage: scripts/image [--arch amd64|arm64] [--tag NAME] [--stage] [--help]

Builds the image with the local engine, and prints its compressed size.

  --arch NAME   amd64 or arm64; without it, this machine's
  --tag NAME    the image's name; without it ecs-local-endpoints:dev, and for another
                architecture than this machine's ecs-local-endpoints:dev-NAME
  --stage       lay out in dist/image what the Dockerfile copies, and build nothing
  --help        print this

DEBIAN_MIRROR is the address of a mirror of Debian, where this machine's apt knows none.
`;

async function main(): Promise<void> {
  const values = readOptions({
    arch: { type: "string", default: OWN_ARCH },
    tag: { type: "string" },
    stage: { type: "boolean", default: false },
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

runScript("image", USAGE, main);
