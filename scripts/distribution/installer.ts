import { join } from "node:path";

/**
 * The script that installs an archive, with the checksums of all of them.
 *
 * @param checksums lines as `sha256sum` writes them
 */
export async function installer(root: string, version: string, baseUrl: string, checksums: string): Promise<string> {
  const values: Record<string, string> = { VERSION: version, BASE_URL: baseUrl, CHECKSUMS: checksums.trim() };
  const template = await Bun.file(join(root, "packaging/install.sh")).text();
  return template.replace(/@([A-Z_]+)@/g, (whole, name: string) => values[name] ?? whole);
}
