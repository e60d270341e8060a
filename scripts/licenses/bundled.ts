import { readdirSync } from "node:fs";
import { join } from "node:path";

/** A package of which something is in the program. */
export interface Bundled {
  readonly name: string;
  readonly version: string;
  /** As SPDX writes it. */
  readonly license: string;
  /** What its licence asks to be passed on; empty where the package holds no text of its own. */
  readonly licenseText: string;
}

/** Of what the bundler writes, what is read here. */
interface Metafile {
  readonly inputs: Readonly<Record<string, unknown>>;
}

/**
 * The packages that the bundler took, by its own list and not by what was asked for, sorted by name and version.
 *
 * @param root folder of the project, which the metafile's paths start from
 * @throws Error where a package names no version or licence
 */
export async function bundledPackages(root: string, metafile: string): Promise<Bundled[]> {
  const { inputs } = (await Bun.file(metafile).json()) as Metafile;
  const folders = new Set(Object.keys(inputs).flatMap((path) => packageFolder(path) ?? []));
  const packages = await Promise.all([...folders].map((folder) => readPackage(join(root, folder))));
  const key = ({ name, version }: Bundled) => `${name}@${version}`;
  return [...new Map(packages.map((each) => [key(each), each])).values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function packageFolder(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

async function readPackage(folder: string): Promise<Bundled> {
  const { name, version, license } = (await Bun.file(join(folder, "package.json")).json()) as Partial<Bundled>;
  if (!name || !version || !license) throw new Error(`${folder}/package.json names no name, version or license`);
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)(\.|$)/i.test(file));
  const texts = await Promise.all(files.sort().map((file) => Bun.file(join(folder, file)).text()));
  return { name, version, license, licenseText: texts.map((text) => text.trim()).join("\n\n") };
}
