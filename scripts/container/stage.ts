import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { bundledPackages } from "../licenses/bundled.ts";
import { thirdPartyText } from "../licenses/third-party.ts";
import { runOwn } from "../run-own.ts";
import { bunExecutable } from "./bun-executable.ts";
import { debianPackage, unpack } from "./debian.ts";
import { type Arch, CA_CERTIFICATES, LIBRARIES, PLATFORMS } from "./pins.ts";
import { settle } from "./settle.ts";

const CA_FILE = "etc/ssl/certs/ca-certificates.crt";
const DOC = "usr/share/doc";

/**
 * Lays out what the Dockerfile copies: `dist/image/any` for every architecture, `dist/image/<arch>` for one.
 *
 * @param root folder of the project
 * @throws Error where something cannot be had, or is of another architecture
 */
export async function stage(root: string, arch: Arch): Promise<void> {
  const { libc, loader, libraries, machine } = PLATFORMS[arch];
  const cache = join(root, ".tools/debian");
  const [libcFile, caFile] = await Promise.all([
    debianPackage(libc, cache, process.env),
    debianPackage(CA_CERTIFICATES, cache, process.env),
  ]);
  const scratch = mkdtempSync(join(root, ".tools/stage-"));
  try {
    const folder = emptied(join(root, "dist/image", arch));
    await compile(root, arch, join(folder, "ecs-local-endpoints"), join(scratch, "metafile.json"));
    await unpack(libcFile, [libraries, `${DOC}/libc6/copyright`], scratch);
    // The loader is a link in the package for one architecture, and to be one file here.
    put(join(scratch, libraries, loader.slice(loader.lastIndexOf("/") + 1)), join(folder, loader));
    for (const library of LIBRARIES) put(join(scratch, libraries, library), join(folder, libraries, library));
    for (const file of filesIn(folder)) await checkMachine(join(folder, file), machine);
    await licenses(root, [libcFile, caFile], join(scratch, "metafile.json"), join(folder, DOC, "ecs-local-endpoints"));

    const any = emptied(join(root, "dist/image/any"));
    await unpack(caFile, ["usr/share/ca-certificates/mozilla", `${DOC}/ca-certificates/copyright`], scratch);
    await Bun.write(join(any, CA_FILE), await allCertificates(join(scratch, "usr/share/ca-certificates/mozilla")));
    for (const name of ["libc6", "ca-certificates"]) {
      put(join(scratch, DOC, name, "copyright"), join(any, DOC, name, "copyright"));
    }
    for (const tree of [folder, any]) await settle(tree, (path) => path !== CA_FILE && !path.startsWith(DOC));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function compile(root: string, arch: Arch, outfile: string, metafile: string): Promise<void> {
  const args = [`--outfile=${outfile}`, `--metafile=${metafile}`, `--target=${PLATFORMS[arch].target}`];
  const executable = await bunExecutable(root, arch);
  if (executable !== undefined) args.push(`--executable=${executable}`);
  const build = runOwn(root, "scripts/build.ts", ...args);
  if (!build.success) throw new Error(`the program could not be compiled:\n${build.stderr.toString().trim()}`);
}

/** The terms of the program and of what is in it; those of the Debian packages are theirs to say. */
async function licenses(root: string, debs: readonly string[], metafile: string, folder: string): Promise<void> {
  const beside = `The image holds libraries of the first of these packages of Debian, unchanged, and the certificates of the second in one file,
under the terms in ../libc6/copyright and ../ca-certificates/copyright. Debian has the source of each under the same version:

${debs.map((file) => `${basename(file)}\n`).join("")}`;
  put(join(root, "LICENSE"), join(folder, "LICENSE"));
  const text = await thirdPartyText(root, await bundledPackages(root, metafile), beside);
  await Bun.write(join(folder, "THIRD-PARTY.txt"), text);
}

/** As `update-ca-certificates` writes them, by name. */
async function allCertificates(folder: string): Promise<string> {
  const names = readdirSync(folder).sort();
  return (await Promise.all(names.map((name) => Bun.file(join(folder, name)).text()))).join("");
}

async function checkMachine(file: string, machine: number): Promise<void> {
  const header = new DataView(await Bun.file(file).slice(0, 20).arrayBuffer());
  const isElf = header.byteLength === 20 && header.getUint32(0) === 0x7f454c46;
  const found = isElf ? header.getUint16(18, true) : undefined;
  if (found !== machine) throw new Error(`${file} is for the ELF machine ${found}, not ${machine}`);
}

function put(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { dereference: true });
}

function emptied(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

function filesIn(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).filter((name) => statSync(join(folder, name)).isFile());
}
