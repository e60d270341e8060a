import { version } from "../../package.json";
import { usageError } from "../command-line.ts";
import { type Arch, PLATFORMS } from "./pins.ts";

/** The architecture of this machine, as an image's. */
export const OWN_ARCH: Arch = process.arch === "arm64" ? "arm64" : "amd64";

/** @throws Error that names those that there are */
export function parseArch(name: string): Arch {
  if (name === "amd64" || name === "arm64") return name;
  throw usageError(`--arch is '${name}', which is not one of ${Object.keys(PLATFORMS).join(", ")}`);
}

/**
 * Builds what is staged, with the engine that the docker command asks.
 *
 * @param host another engine, as `DOCKER_HOST` has it
 * @throws Error with what docker said
 */
export async function buildImage(root: string, arch: Arch, tag: string, host?: string): Promise<void> {
  if (Bun.which("docker") === null) {
    throw new Error("docker is not installed\nhint: install Docker's command line, or see --stage");
  }
  // The classic builder takes a layer of its cache for any platform's, and then finds that it is not.
  const options = ["--no-cache", "--platform", `linux/${arch}`, "--build-arg", `TARGETARCH=${arch}`, "--tag", tag];
  for (const [name, value] of labelsOf(root)) options.push("--label", `org.opencontainers.image.${name}=${value}`);
  // Where `docker` is Podman's: its own format of an image has no HEALTHCHECK.
  const env = { ...process.env, BUILDAH_FORMAT: "docker", ...(host && { DOCKER_HOST: host }) };
  const build = Bun.spawn(["docker", "build", ...options, root], { env, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([build.stdout.text(), build.stderr.text()]);
  if ((await build.exited) !== 0) throw new Error(`docker build failed:\n${stdout}${stderr}`.trim());
}

/** What the Dockerfile cannot know: of which version and commit the program is, and where that is to be had. */
function labelsOf(root: string): [string, string][] {
  const git = Bun.which("git");
  const args = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"];
  const revision =
    git &&
    Bun.spawnSync([git, ...args], { cwd: root, stderr: "ignore" })
      .stdout.toString()
      .trim();
  const repository = process.env.GITHUB_REPOSITORY;
  return [
    ["version", version],
    ...(revision ? [["revision", revision] satisfies [string, string]] : []),
    ...(repository ? [["source", `https://github.com/${repository}`] satisfies [string, string]] : []),
  ];
}

/** What a registry would store of an image: as many bytes as its layers have with gzip's usual level. */
export async function compressedBytes(tag: string): Promise<number> {
  const save = Bun.spawn(["docker", "save", tag], { stdout: "pipe", stderr: "inherit" });
  let bytes = 0;
  for await (const chunk of save.stdout.pipeThrough(new CompressionStream("gzip"))) bytes += chunk.length;
  if ((await save.exited) !== 0) throw new Error("docker save failed, see above");
  return bytes;
}
