import type { Target } from "./targets.ts";

/** An archive that was made. */
export interface Archive {
  readonly target: Target;
  /** With `.tar.gz`. */
  readonly file: string;
  readonly sha256: string;
}

const SYSTEMS = [
  ["darwin", "on_macos"],
  ["linux", "on_linux"],
] as const;
const ARCHS = [
  ["arm64", "on_arm"],
  ["x64", "on_intel"],
] as const;

/**
 * The Homebrew formula. Homebrew on Linux has glibc, so that musl is not in it.
 *
 * @param baseUrl what the archives' names are behind, without a slash at its end
 */
export function formula(version: string, baseUrl: string, homepage: string, archives: readonly Archive[]): string {
  const systems = SYSTEMS.flatMap(([os, onSystem]) => {
    const archs = ARCHS.flatMap(([arch, onArch]) => {
      const archive = archives.find(({ target }) => target.os === os && target.arch === arch && target.libc !== "musl");
      if (archive === undefined) return [];
      return [
        `    ${onArch} do`,
        `      url "${baseUrl}/${archive.file}"`,
        `      sha256 "${archive.sha256}"`,
        "    end",
      ];
    });
    return archs.length === 0 ? [] : ["", `  ${onSystem} do`, ...archs, "  end"];
  });
  return `class EcsLocalEndpoints < Formula
  desc "Amazon ECS task endpoints for containers on a developer's machine"
  homepage "${homepage}"
  version "${version}"
  license "Apache-2.0"
${systems.join("\n")}

  def install
    bin.install "ecs-local-endpoints"
    doc.install "README.md", "ARCHITECTURE.md", "THIRD-PARTY.txt", "docs", "examples"
  end

  service do
    run [opt_bin/"ecs-local-endpoints", "serve", "--port", "51679"]
    keep_alive true
    error_log_path var/"log/ecs-local-endpoints.log"
  end

  test do
    assert_match "ecs-local-endpoints", shell_output("#{bin}/ecs-local-endpoints --version")
  end
end
`;
}
