/** What an image is made of beside our own source, each by its SHA-256: whoever serves the file cannot change it. */

/** Debian's name of an architecture and the image's. */
export type Arch = "amd64" | "arm64";

export interface Pinned {
  /** Behind a mirror's address. */
  readonly path: string;
  readonly sha256: string;
}

export interface Platform {
  /** Bun's name of the platform, and its package of it with the checksum of the executable inside. */
  readonly target: string;
  readonly bunPackage: string;
  readonly bunSha256: string;
  readonly libc: Pinned;
  /** Where the program looks for the loader, and the loader for the rest. */
  readonly loader: string;
  readonly libraries: string;
  /** `e_machine` of an ELF header. */
  readonly machine: number;
}

/**
 * glibc of Debian 12: the program needs 2.17, and this release gets no other version any more, so that mirrors keep the
 * file. 2.34 and newer have the look-up of names in libc.so itself.
 */
export const PLATFORMS: Readonly<Record<Arch, Platform>> = {
  amd64: {
    target: "bun-linux-x64",
    bunPackage: "@oven/bun-linux-x64",
    bunSha256: "f05d28a3862f4b84395c7fa32480b835dd47482e80b7e7a49a115227f0c06083",
    libc: {
      path: "pool/main/g/glibc/libc6_2.36-9+deb12u14_amd64.deb",
      sha256: "ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf",
    },
    loader: "lib64/ld-linux-x86-64.so.2",
    libraries: "lib/x86_64-linux-gnu",
    machine: 62,
  },
  arm64: {
    target: "bun-linux-arm64",
    bunPackage: "@oven/bun-linux-aarch64",
    bunSha256: "04778f1f42399a69d086853e9c7af4acf574b2f21a43d0dc673853d8b84a2923",
    libc: {
      path: "pool/main/g/glibc/libc6_2.36-9+deb12u14_arm64.deb",
      sha256: "01f4330719fd4f65580e16ea5a0527f372fca750e8f588d26deaf09f2d3b1cf4",
    },
    loader: "lib/ld-linux-aarch64.so.1",
    libraries: "lib/aarch64-linux-gnu",
    machine: 183,
  },
};

/** What the program is linked with, beside the loader. A test holds this against the files themselves. */
export const LIBRARIES = ["libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"] as const;

/** Of Debian 13. Roots that were withdrawn must not stay trusted: take the newest there is. */
export const CA_CERTIFICATES: Pinned = {
  path: "pool/main/c/ca-certificates/ca-certificates_20250419+deb13u1_all.deb",
  sha256: "c10585ac22c7f617a73d394eea29ba71d0356f350ae973b19043d1b017f80f54",
};
