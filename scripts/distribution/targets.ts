import { usageError } from "../command-line.ts";
import type { PinnedBun } from "../container/bun-executable.ts";

export const PROGRAM = "ecs-local-endpoints";

/**
 * What a release is built for. Where Bun has a `-baseline` for older processors, it is the same file byte for byte, on
 * Linux and on macOS, so that it would be the same program twice. There is none for Windows: Docker's engine is there
 * behind a named pipe, which the program does not speak; in WSL it is the one for Linux that runs.
 */
export interface Target {
  /** As `--targets` names it, and behind `bun-` the compiler. */
  readonly name: string;
  readonly os: "linux" | "darwin";
  readonly arch: "x64" | "arm64";
  readonly libc?: "glibc" | "musl";
  readonly bun: PinnedBun;
  readonly needs: string;
}

const LINUX_GLIBC = "glibc 2.17 or newer";
const LINUX_MUSL = "musl 1.2.4 or newer with libstdc++ and libgcc (Alpine: apk add libstdc++)";

export const TARGETS: readonly Target[] = [
  linux("x64", "glibc", "f05d28a3862f4b84395c7fa32480b835dd47482e80b7e7a49a115227f0c06083"),
  linux("x64", "musl", "cf5d285ddbe256785a5121a3c113191a6b577504976374c7cfd5aedca609b720"),
  linux("arm64", "glibc", "04778f1f42399a69d086853e9c7af4acf574b2f21a43d0dc673853d8b84a2923"),
  linux("arm64", "musl", "9c48986093073afec8b76a3e285303598dd2462f52748aecb65e4d94866e1ea3"),
  darwin("x64", "88f97645b270aef20f9f9442f1658461cab3e7128e658af4615144e3396f084a"),
  darwin("arm64", "e2984124f1514e1e6bbda20adedbf07a02c443c6a5828853a15c7c7abf78e19f"),
];

/** Those that this machine can run. */
export function ownTargets(): Target[] {
  return TARGETS.filter(({ os, arch }) => os === process.platform && arch === process.arch);
}

/**
 * Each of those that are named once.
 *
 * @throws Error that names those that there are
 */
export function targetsNamed(names: readonly string[]): Target[] {
  return [...new Set(names)].map((name) => {
    const target = TARGETS.find((each) => each.name === name);
    if (target !== undefined) return target;
    throw usageError(`--targets has '${name}', which is not one of ${TARGETS.map((each) => each.name).join(", ")}`);
  });
}

/** The folder that an archive holds; with `.tar.gz` behind it the archive's name. */
export function archiveName(version: string, { os, arch, libc }: Target): string {
  return `${PROGRAM}_${version}_${os}_${arch}${libc === "musl" ? "_musl" : ""}`;
}

function linux(arch: Target["arch"], libc: "glibc" | "musl", bunSha256: string): Target {
  const suffix = libc === "musl" ? "-musl" : "";
  return {
    name: `linux-${arch}${suffix}`,
    os: "linux",
    arch,
    libc,
    bun: { bunPackage: `@oven/bun-linux-${bunArch(arch)}${suffix}`, bunSha256, os: "linux", cpu: arch },
    needs: libc === "musl" ? LINUX_MUSL : LINUX_GLIBC,
  };
}

function darwin(arch: Target["arch"], bunSha256: string): Target {
  return {
    name: `darwin-${arch}`,
    os: "darwin",
    arch,
    bun: { bunPackage: `@oven/bun-darwin-${bunArch(arch)}`, bunSha256, os: "darwin", cpu: arch },
    needs: "macOS 13 or newer",
  };
}

function bunArch(arch: Target["arch"]): string {
  return arch === "arm64" ? "aarch64" : arch;
}
