import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { debianPackage, unpack } from "../../scripts/container/debian.ts";
import { preparePythonPackage } from "./tools.ts";

const TOOLS = resolve(import.meta.dir, "../../.tools");

/** Of Debian 13. What is older than 1.2.4 does not read the relocations of a newer libstdc++. */
const MUSL = {
  path: "pool/main/m/musl/musl_1.2.5-3_amd64.deb",
  sha256: "4288deaf14438e6c237491be45f10e3e7badb2e723cedfb08ff1fe687b646c84",
};

/**
 * A folder to chroot to, that has musl and libstdc++ and nothing else. The library is that of a package of Python that was
 * built for Alpine and carries it.
 *
 * @throws Error where one of them cannot be had
 */
export async function muslRoot(): Promise<{ folder: string; remove: () => void }> {
  const musl = await debianPackage(MUSL, join(TOOLS, "debian"), process.env);
  const wheel = preparePythonPackage(
    "musl-libraries",
    "musllinux_1_2_x86_64",
    "kiwisolver==1.5.1 --hash=sha256:b03af77d77e50edba2030fd5f7c352ff209314b09030a3cba7c14edf9a09a444",
  );
  if ("missing" in wheel) throw new Error(wheel.missing);
  const folder = mkdtempSync(join(tmpdir(), "ecs-local-musl-"));
  const remove = () => rmSync(folder, { recursive: true });
  try {
    for (const made of ["lib", "usr/lib", "musl"]) mkdirSync(join(folder, made), { recursive: true });
    await unpack(musl, ["usr/lib/x86_64-linux-musl/libc.so"], join(folder, "musl"));
    cpSync(join(folder, "musl/usr/lib/x86_64-linux-musl/libc.so"), join(folder, "lib/ld-musl-x86_64.so.1"));
    const libraries = join(wheel.folder, "kiwisolver.libs");
    for (const name of readdirSync(libraries)) {
      // The other one's name is in this library itself.
      const usual = name.startsWith("libstdc++") ? "libstdc++.so.6" : name;
      cpSync(join(libraries, name), join(folder, "usr/lib", usual));
    }
    return { folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
