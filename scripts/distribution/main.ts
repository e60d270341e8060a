/** Makes a release: see `scripts/release`. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { version as packageVersion } from "../../package.json";
import { readOptions, runScript } from "../command-line.ts";
import { digest } from "../container/debian.ts";
import type { Bundled } from "../licenses/bundled.ts";
import { type Commit, commitOf } from "./commit.ts";
import { compile, ownMembers, sharedMembers } from "./contents.ts";
import { type Archive, formula } from "./formula.ts";
import { installer } from "./installer.ts";
import { sbom } from "./sbom.ts";
import { type Member, tarGz } from "./tar.ts";
import { archiveName, ownTargets, PROGRAM, TARGETS, type Target, targetsNamed } from "./targets.ts";

const root = resolve(import.meta.dir, "../..");
const OWN_FILE = new RegExp(`^${PROGRAM}(\\.rb|_.*\\.(tar\\.gz|cdx\\.json))$`);
const DEFAULT_OUT = join(root, "dist/release");

const USAGE = `Usage: scripts/release [--snapshot] [--targets NAME,...] [--out FOLDER] [--base-url URL] [--help]

Makes a release of a commit that is tagged vX.Y.Z: archives, checksums, bill of materials, formula, installer.

  --snapshot       of what is here, tagged or not; for this machine's targets, with FULL=1 for all
  --targets NAMES  of ${TARGETS.map(({ name }) => name).join(", ")}
  --out FOLDER     where to; without it dist/release
  --base-url URL   where formula and installer look for the archives; without it the release of
                   GITHUB_REPOSITORY, for a snapshot its folder
  --help           print this
`;

async function main(): Promise<void> {
  const values = readOptions({
    snapshot: { type: "boolean", default: false },
    targets: { type: "string" },
    out: { type: "string", default: DEFAULT_OUT },
    "base-url": { type: "string" },
  });
  const isAll = !values.snapshot || process.env.FULL === "1";
  const targets = values.targets ? targetsNamed(values.targets.split(",")) : isAll ? TARGETS : ownTargets();
  const commit = commitOf(root, packageVersion, values.snapshot);
  const out = resolve(values.out);
  const place = placeOf(values["base-url"], commit.version, values.snapshot, out);

  empty(out);
  mkdirSync(join(root, ".tools"), { recursive: true });
  const scratch = mkdtempSync(join(root, ".tools/release-"));
  const archives: Archive[] = [];
  const contents = new Map<string, Bundled[]>();
  try {
    const shared = await sharedMembers(root);
    for (const target of targets) {
      const { program, packages } = await compile(root, target, join(scratch, target.name));
      contents.set(JSON.stringify(packages), packages);
      archives.push(
        await pack(target, commit, out, [...shared, ...(await ownMembers(root, target, program, packages))]),
      );
      console.log(`${archives.at(-1)?.file}: needs ${target.needs}`);
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
  const [packages, ...others] = contents.values();
  if (packages === undefined || others.length > 0) throw new Error("the targets do not hold the same packages");

  const checksums = archives.map(({ file, sha256 }) => `${sha256}  ${file}\n`).join("");
  const documents = {
    [`${PROGRAM}_${commit.version}.cdx.json`]: sbom(commit, packages, targets),
    [`${PROGRAM}.rb`]: formula(commit.version, place.baseUrl, place.homepage, archives),
    "install.sh": await installer(root, commit.version, place.baseUrl, checksums),
  };
  const lines = Object.entries(documents).map(([file, text]) => `${digest(Buffer.from(text))}  ${file}\n`);
  for (const [file, text] of Object.entries({ ...documents, SHA256SUMS: checksums + lines.join("") })) {
    writeFileSync(join(out, file), text, { mode: file.endsWith(".sh") ? 0o755 : 0o644 });
  }
}

/** @throws Error where the folder holds something else than a release, which is not ours to remove */
function empty(out: string): void {
  mkdirSync(out, { recursive: true });
  const held = readdirSync(out);
  const foreign = held.find((name) => name !== "SHA256SUMS" && name !== "install.sh" && !OWN_FILE.test(name));
  if (foreign !== undefined) {
    const hint = "name a folder that is empty, or not there";
    throw new Error(`${out} holds something else than a release: '${foreign}'\nhint: ${hint}`);
  }
  for (const name of held) rmSync(join(out, name));
}

/** Where the release is to be had; a snapshot from where it was made. */
function placeOf(given: string | undefined, version: string, isSnapshot: boolean, out: string) {
  const repository = process.env.GITHUB_REPOSITORY;
  const homepage = repository ? `https://github.com/${repository}` : undefined;
  const baseUrl =
    given ?? (isSnapshot ? pathToFileURL(out).href : homepage && `${homepage}/releases/download/v${version}`);
  if (baseUrl === undefined) {
    throw new Error("it is not known where the release is to be had\nhint: set GITHUB_REPOSITORY, or see --base-url");
  }
  if (/["'\\#\s]/.test(baseUrl)) throw new Error(`the address '${baseUrl}' has a character that no address has`);
  return { baseUrl: baseUrl.replace(/\/+$/, ""), homepage: homepage ?? baseUrl };
}

async function pack(target: Target, commit: Commit, out: string, members: readonly Member[]): Promise<Archive> {
  const name = archiveName(commit.version, target);
  const packed = tarGz(
    members.map((each) => ({ ...each, path: `${name}/${each.path}` })),
    commit.made,
  );
  await Bun.write(join(out, `${name}.tar.gz`), packed);
  return { target, file: `${name}.tar.gz`, sha256: digest(packed) };
}

runScript("release", USAGE, main);
