import { version } from "../package.json";

// Put in by scripts/build.ts; a run from source has neither.
declare const BUILD_COMMIT: string | undefined;
declare const BUILD_TARGET: string | undefined;

/** `0.1.0`. */
export { version };

/** Version, commit and build target in one line, for `--version`. */
export function versionText(): string {
  const commit = typeof BUILD_COMMIT === "string" ? BUILD_COMMIT : "source";
  const target = typeof BUILD_TARGET === "string" ? BUILD_TARGET : `bun-${process.platform}-${process.arch}`;
  return `ecs-local-endpoints ${version} (${commit}, ${target})`;
}
